//! Which process has a socket, who runs it, and what it alone may tell.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::mem::MaybeUninit;
use std::path::Path;
use std::str::FromStr;

use rustix::fd::{BorrowedFd, RawFd};
use rustix::fs::{CWD, Dir, Mode, OFlags, fstat, openat, readlinkat_raw};
use rustix::net::sockopt::socket_reuseaddr;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, geteuid, pidfd_getfd, pidfd_open};

use super::Entry;
use crate::host::Owner;

/// The processes that have some sockets open.
pub(super) struct Processes {
    holders: HashMap<u64, Holder>,
    programs: HashMap<u32, Option<String>>,
    users: Users,
    /// The user whose rights decide what can be seen.
    reader: u32,
}

/// A process and its name for the socket.
#[derive(Clone, Copy)]
struct Holder {
    pid: u32,
    fd: RawFd,
}

impl Processes {
    /// Looks through the open files of every process, once.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let inodes = entries.iter().map(|entry| entry.inode);
        let holders = search(&inodes.filter(|&inode| inode != 0).collect());
        let mut programs = HashMap::new();
        for holder in holders.values() {
            programs
                .entry(holder.pid)
                .or_insert_with(|| program(holder.pid));
        }
        Self {
            holders,
            programs,
            users: Users::read(),
            reader: geteuid().as_raw(),
        }
    }

    /// The owner of a socket, whose user the kernel's table gives.
    pub(super) fn owner(&self, inode: u64, uid: u32) -> Owner {
        if inode == 0 {
            return Owner::Nobody;
        }
        let user = Some(self.users.name(uid));
        match self.holders.get(&inode) {
            Some(&Holder { pid, .. }) => Owner::Process {
                pid,
                program: self.programs.get(&pid).cloned().flatten(),
                user,
            },
            None if self.reader == 0 || self.reader == uid => Owner::Hidden { user },
            None => Owner::OtherUser { user },
        }
    }

    /// `SO_REUSEADDR` of a socket; none if this process may not borrow it from its own.
    pub(super) fn reuse_address(&self, inode: u64) -> Option<bool> {
        let holder = self.holders.get(&inode)?;
        let process = pidfd_open(pid(holder.pid)?, PidfdFlags::empty()).ok()?;
        let socket = pidfd_getfd(&process, holder.fd, PidfdGetfdFlags::empty()).ok()?;
        // The number may have come to mean another file meanwhile.
        let same = fstat(&socket).is_ok_and(|file| file.st_ino == inode);
        socket_reuseaddr(&socket).ok().filter(|_| same)
    }
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(number.cast_signed())
}

/// Who has these sockets. Nearly all of the time goes to the kernel, which makes up `/proc`: about
/// 20 microseconds for each process of the host.
fn search(wanted: &HashSet<u64>) -> HashMap<u64, Holder> {
    let mut holders = HashMap::new();
    let Ok(mut proc) = directory("/proc") else {
        return holders;
    };
    let mut pids: Vec<u32> = numbers(&mut proc);
    // a parent mostly has a lower number than its workers
    pids.sort_unstable();
    for pid in pids {
        if holders.len() == wanted.len() {
            break;
        }
        for (inode, fd) in sockets_of(pid) {
            if wanted.contains(&inode) {
                holders.entry(inode).or_insert(Holder { pid, fd });
            }
        }
    }
    to_parents(&mut holders);
    holders
}

/// Puts a parent in the place of a worker that shares a socket with it: numbers begin anew, so that
/// the worker may have the lower one.
fn to_parents(holders: &mut HashMap<u64, Holder>) {
    let mut parents: HashMap<u32, Option<u32>> = HashMap::new();
    let mut files: HashMap<u32, Vec<(u64, RawFd)>> = HashMap::new();
    for (inode, holder) in holders {
        while let Some(pid) = *parents
            .entry(holder.pid)
            .or_insert_with(|| parent(holder.pid))
        {
            let of_parent = files.entry(pid).or_insert_with(|| sockets_of(pid));
            let Some((_, fd)) = of_parent.iter().find(|(of, _)| of == inode) else {
                break;
            };
            *holder = Holder { pid, fd: *fd };
        }
    }
}

/// The parent of a process, if it has one that can be seen.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name before may hold anything, even brackets
    let (_, rest) = stat.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    (parent != 0).then_some(parent)
}

/// The sockets of a process; none if it has ended, or is another user's and closed to us.
fn sockets_of(pid: u32) -> Vec<(u64, RawFd)> {
    let files = directory(format!("/proc/{pid}/fd"));
    files.map_or_else(|_| Vec::new(), |mut files| sockets_in(&mut files))
}

/// The inodes and numbers of the sockets among open files.
fn sockets_in(files: &mut Dir) -> Vec<(u64, RawFd)> {
    let numbers = numbers(files);
    let Ok(files) = files.fd() else {
        return Vec::new();
    };
    let sockets = numbers.into_iter();
    sockets
        .filter_map(|fd| Some((socket_inode(files, fd)?, fd)))
        .collect()
}

fn directory(path: impl rustix::path::Arg) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Dir::new(openat(CWD, path, flags, Mode::empty())?)
}

/// The entries of a directory that are numbers.
fn numbers<N: FromStr>(directory: &mut Dir) -> Vec<N> {
    directory
        .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok())
        .collect()
}

/// The inode of an open file that is a socket, from its link `socket:[12345]`.
fn socket_inode(files: BorrowedFd<'_>, fd: RawFd) -> Option<u64> {
    let mut buffer = [MaybeUninit::uninit(); 40];
    let (link, _) = readlinkat_raw(files, fd.to_string(), &mut buffer).ok()?;
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The name of a process as `ps` and `ss` give it, though whole: the kernel cuts it to 15 bytes.
fn program(pid: u32) -> Option<String> {
    let comm = fs::read(format!("/proc/{pid}/comm")).ok()?;
    let comm = String::from_utf8_lossy(comm.trim_ascii_end()).into_owned();
    if comm.len() < 15 {
        return Some(comm);
    }
    let file = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let file = file.as_deref().and_then(Path::file_name);
    Some(whole_name(comm, file.and_then(|name| name.to_str())))
}

/// The name of the program's file where the cut name is its beginning.
fn whole_name(comm: String, file: Option<&str>) -> String {
    let file = file.map(|name| name.strip_suffix(" (deleted)").unwrap_or(name));
    match file {
        Some(file) if file.starts_with(&comm) => file.to_owned(),
        _ => comm,
    }
}

/// The names of the users of this host.
struct Users(HashMap<u32, String>);

impl Users {
    /// Reads `/etc/passwd`; users that only a directory service knows keep their numbers.
    fn read() -> Self {
        let text = fs::read("/etc/passwd").unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Self {
        let mut names = HashMap::new();
        for line in text.lines() {
            let mut fields = line.split(':');
            let (name, uid) = (fields.next(), fields.nth(1));
            if let (Some(name), Some(Ok(uid))) = (name, uid.map(str::parse)) {
                // The first name of a number is the one that the system uses.
                names.entry(uid).or_insert_with(|| name.to_owned());
            }
        }
        Self(names)
    }

    fn name(&self, uid: u32) -> String {
        let name = self.0.get(&uid);
        name.cloned().unwrap_or_else(|| uid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_by_number() {
        let users = Users::parse(
            "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n#x\nbad:x:y:0\nweb:x:33:33:::\n",
        );
        assert_eq!(users.name(0), "root");
        assert_eq!(users.name(33), "web");
        assert_eq!(users.name(1000), "1000");
    }

    #[test]
    fn names_cut_by_the_kernel() {
        let whole = |comm: &str, file| whole_name(comm.to_owned(), file);
        let cut = "com.docker.back";
        assert_eq!(whole(cut, Some("com.docker.backend")), "com.docker.backend");
        assert_eq!(
            whole(cut, Some("com.docker.backend (deleted)")),
            "com.docker.backend"
        );
        assert_eq!(whole(cut, Some("python3")), cut);
        assert_eq!(whole(cut, None), cut);
    }
}
