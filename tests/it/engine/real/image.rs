//! The image of a release, on the engine.

use std::process::{Command, Output};

use super::{PREFIX, Real, engine};
use crate::common::{folder, root, say};
use crate::packages::{packages, run};

impl Real {
    /// Runs the image with these arguments for docker, parted by spaces, and these for the program.
    fn image(&self, docker: &str, portplan: &str) -> (Option<i32>, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new("docker")
            .args(["--host", &self.endpoint.address.to_string(), "run", "--rm"])
            .args(docker.split_whitespace())
            .arg(format!("{PREFIX}image"))
            .args(portplan.split_whitespace())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }
}

#[test]
fn the_image_checks_a_checkout_and_sees_the_machine() {
    let Some(real) = engine() else { return };
    let Some(packages) = packages() else { return };
    let context = tempfile::tempdir().unwrap();
    let context = context.path().to_str().unwrap();
    run("ci/image", &[packages.to_str().unwrap(), context], &root());
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => panic!("there is no image for {other}"),
    };
    if !std::path::Path::new(context).join(processor).exists() {
        say("skipped: the image, for there is no static program");
        return;
    }
    let file = root().join("Dockerfile");
    real.docker(&format!(
        "build -q --build-arg TARGETARCH={processor} -t P-image -f {} {context}",
        file.display()
    ));
    let checkout = folder(&[(
        "shop/compose.yaml",
        "services: {a: {image: i, ports: ['18650:80']}, b: {image: i, ports: ['18650:81']}}\n",
    )]);
    let at = checkout.path().join("shop");
    let at = format!("-v {0}:{0}:ro -w {0}", at.display());
    let (status, said, _) = real.image(&at, "check --format concise");
    assert_eq!(status, Some(1));
    assert_eq!(
        said,
        "compose.yaml:1:35: error[host-port-collision]: `a` and `b` both publish 18650/tcp\n"
    );
    // it begins with `check`, and has no git
    assert_eq!(real.image(&at, "").0, Some(1));
    assert_eq!(real.image("", "").0, Some(3));
    let (status, _, said) = real.image(&at, "diff HEAD");
    assert_eq!(status, Some(2));
    assert!(
        said.contains("`git`, which is not installed here"),
        "{said}"
    );
    // the machine: its containers, and what listens there
    let address = real.endpoint.address.to_string();
    let Some(socket) = address.strip_prefix("unix://") else {
        say("skipped: the image looks at its machine, for the engine has no socket");
        real.docker("rmi P-image");
        return;
    };
    let machine = format!("--network host --pid host -v {socket}:/var/run/docker.sock {at}");
    real.docker("run -d --name P-here -p 18650:80 IMAGE sleep 60");
    let (status, said, errors) = real.image(&machine, "check --live --format concise");
    assert_eq!(status, Some(1), "{said}{errors}");
    let has = format!("`a` wants 18650/tcp, which container `{PREFIX}here` has");
    assert!(said.contains(&has), "{said}{errors}");
    let (status, said, errors) = real.image(&machine, "list --live");
    assert_eq!(status, Some(0), "{said}{errors}");
    assert!(said.contains(&format!("{PREFIX}here")), "{said}");
    real.docker("rm -f P-here");
    real.docker("rmi P-image");
}
