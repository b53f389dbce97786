"""The node image's files: they agree with each other, and their scripts do what they say."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.support import command

from shimlab import paths
from shimlab.images import release
from shimlab.runtimes import CONTAINERD, LABEL

NODE = paths.repository() / "lab" / "node"
DOCKERFILE = (NODE / "Dockerfile").read_text(encoding="utf-8")
STAGES = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
RELEASES = release.known()
WHOLE = [minor for minor in RELEASES if release.load(minor).on is None]
SYS_RESOURCE = 24
# The node's finish puts the release's pause in its place.
PAUSE = "PAUSE_OF_THE_RELEASE"


def replaced(go_mod: Path) -> dict[str, str]:
    """What go.mod puts in the place of modules: path to path and version."""
    return dict(re.findall(r"^\t(\S+) => (\S+ \S+)$", go_mod.read_text(encoding="utf-8"), re.MULTILINE))


def required(go_mod: Path, module: str) -> str:
    match = re.search(
        rf"^require {re.escape(module)} (\S+)$", go_mod.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert match, f"{go_mod} does not require {module}"
    return match[1]


def host_grants(bit: int) -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    match = re.search(r"^CapBnd:\s+([0-9a-f]+)$", status, re.MULTILINE)
    assert match
    return bool(int(match[1], 16) >> bit & 1)


def test_every_stage_can_be_found_by_its_label_and_no_stage_needs_buildkit() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    for name, text in zip(STAGES, stages, strict=True):
        assert f"LABEL io.shimlab.stage={name}\n" in text
    assert "--mount" not in DOCKERFILE
    assert "<<" not in DOCKERFILE


def test_every_folder_of_a_release_is_one() -> None:
    assert set(RELEASES) == {path.name for path in (NODE / "kubernetes").iterdir() if path.is_dir()}


@pytest.mark.parametrize("minor", RELEASES)
def test_a_release_says_the_same_versions_everywhere(minor: str) -> None:
    go_mod = NODE / "kubernetes" / minor / "go.mod"
    wanted = release.load(minor)
    assert wanted.version.startswith(f"{minor}.")
    assert required(go_mod, "k8s.io/kubernetes") == f"v{wanted.version}"
    staging = wanted.version.replace("1.", "v0.", 1)
    for module in ("k8s.io/api", "k8s.io/cri-api", "k8s.io/kubelet"):
        assert replaced(go_mod)[module] == f"{module} {staging}"


@pytest.mark.parametrize("minor", WHOLE)
def test_the_images_of_a_release_have_the_versions_that_it_says(minor: str) -> None:
    wanted = release.load(minor)
    coredns = dict(wanted.recipe)["COREDNS"]
    assert required(NODE / "coredns" / coredns / "go.mod", "github.com/coredns/coredns") == f"v{coredns}"
    for image in wanted.images:
        assert image.target in STAGES
        if image.target.startswith("kube-"):
            assert image.tag == f"v{wanted.version}"
        if image.target == "coredns":
            assert image.tag.removeprefix("v") == coredns
    assert {"kube-proxy", "coredns", "pause"} <= {
        each.target for each in wanted.images if "docker" in each.stores
    }


@pytest.mark.parametrize("minor", sorted(set(RELEASES) - set(WHOLE)))
def test_a_release_with_a_kubelet_only_lists_nothing_that_it_does_not_bring(minor: str) -> None:
    assert not (NODE / "kubernetes" / minor / "images").exists()
    assert {"COREDNS", "DOCKERLESS"}.isdisjoint(dict(release.load(minor).recipe))


def test_dockershim_out_of_tree_is_made_of_the_modules_of_its_release() -> None:
    folder = NODE.parent / "dockershim"
    said = release.recipe(folder / "release")
    inside = release.load("1.20")
    assert said["KUBERNETES"] == inside.version
    assert f"v{inside.version}" in re.findall(
        r"^\tk8s\.io/kubernetes (\S+)$", (folder / "go.mod").read_text(), re.M
    )
    assert replaced(folder / "go.mod") == replaced(NODE / "kubernetes" / inside.minor / "go.mod")
    go = re.search(r"^go (\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert go
    assert go[1] == said["GO"]


def test_sandboxes_start_from_the_pause_that_kubeadm_names() -> None:
    assert f'sandbox_image = "{PAUSE}"' in (NODE / "root/etc/containerd/config.toml").read_text(
        encoding="utf-8"
    )
    unit = NODE / "root/etc/systemd/system/dockershim-out-of-tree.service"
    assert f"--pod-infra-container-image={PAUSE}\n" in unit.read_text(encoding="utf-8")
    assert PAUSE in (NODE / "build/node-finish").read_text(encoding="utf-8")
    for minor in WHOLE:
        # The first of the list is the one that is put there, so both stores must hold it.
        first = next(image for image in release.load(minor).images if image.target == "pause")
        assert first.stores == ("containerd", "docker")


def test_a_node_has_the_handler_that_the_runtime_class_names() -> None:
    manifests = list(yaml.safe_load_all((NODE / "root/kind/manifests/default-storage.yaml").read_text()))
    classes = [each for each in manifests if each["kind"] == "RuntimeClass"]
    assert [each["handler"] for each in classes] == ["crun"]
    assert classes[0]["scheduling"]["nodeSelector"] == {LABEL: CONTAINERD.name}
    configuration = tomllib.loads((NODE / "root/etc/containerd/config.toml").read_text(encoding="utf-8"))
    runtimes = configuration["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]
    assert runtimes["crun"]["options"]["BinaryName"] == "/usr/bin/crun"
    assert runtimes.keys() == {"runc", "crun"}


def test_the_entrypoint_finds_what_it_changes_on_bounded_hosts() -> None:
    entrypoint = (NODE / "root/usr/local/bin/entrypoint").read_text(encoding="utf-8")
    configuration = (NODE / "root/etc/containerd/config.toml").read_text(encoding="utf-8")
    programs = [f'BinaryName = "{path}"' for path in ("/usr/sbin/runc", "/usr/bin/crun")]
    for line in ("restrict_oom_score_adj = false", *programs):
        assert line in entrypoint
        assert configuration.count(line) == 1
    for program in ("runc", "crun"):
        bounded = f"/usr/local/lib/shimlab/{program}-bounded"
        assert bounded in entrypoint
        assert (NODE / f"root{bounded}").resolve().name == "runc-bounded"


def add_suite(etc: Path, suite: str) -> subprocess.CompletedProcess[str]:
    system = etc / "os-release"
    system.write_text("VERSION_CODENAME=bookworm\n")
    environment = {"PATH": "/usr/bin:/bin", "APT_ETC": str(etc), "OS_RELEASE": str(system)}
    return command.program(NODE / "add-suite", suite, env=environment)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_add_suite_derives_both_forms_of_sources_and_leaves_security_out(etc: Path) -> None:
    (etc / "sources.list.d/debian.sources").write_text(
        "Types: deb deb-src\n# a remark\nURIs: http://mirror.example/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /keys/debian.gpg\n\n"
        "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n"
    )
    (etc / "sources.list").write_text(
        "deb [arch=amd64 signed-by=/keys/debian.gpg] http://lines.example/debian bookworm main contrib\n"
        "deb http://lines.example/security bookworm-security main\n"
        "deb-src http://lines.example/debian bookworm main\n"
        "# deb http://off.example/debian bookworm main\n"
    )
    for _ in range(2):  # a second run changes nothing
        done = add_suite(etc, "bullseye")
        assert done.returncode == 0, done.stderr
        assert (etc / "sources.list.d/suite-bullseye.sources").read_text().strip() == (
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bullseye\nComponents: main\n"
            "Signed-By: /keys/debian.gpg"
        )
        assert (etc / "sources.list.d/suite-bullseye.list").read_text() == (
            "deb [arch=amd64 signed-by=/keys/debian.gpg] http://lines.example/debian bullseye main\n"
        )
    assert "Pin-Priority: -1" in (etc / "preferences.d/suite-bullseye").read_text()


def test_add_suite_says_when_there_is_nothing_to_derive_from(etc: Path) -> None:
    (etc / "sources.list").write_text("deb http://mirror.example/debian trixie main\n")
    done = add_suite(etc, "bullseye")
    assert done.returncode == 1
    assert "no source of apt has the suite bookworm" in done.stderr
    assert not (etc / "sources.list.d/suite-bullseye.list").exists()


@pytest.mark.skipif(
    not shutil.which("jq"), reason="the wrapper runs where jq is: in a node, and on hosts made ready"
)
@pytest.mark.parametrize("words", [["create", "--bundle", "{}"], ["run", "--bundle={}"]])
def test_the_bounded_runtime_asks_only_for_what_this_host_grants(tmp_path: Path, words: list[str]) -> None:
    # The wrapper stands before the program in its own name: here before `true`, which accepts anything.
    wrapper = tmp_path / "true-bounded"
    wrapper.symlink_to(NODE / "root/usr/local/lib/shimlab/runc-bounded")
    score = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    process = {
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]},
        "oomScoreAdj": score - 1,
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 2**40, "soft": 7}],
        "cwd": "/",
    }
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps({"ociVersion": "1.0.2", "process": process}))

    done = command.program(wrapper, *(word.format(bundle) for word in words), "name")
    assert done.returncode == 0, done.stderr

    asked = json.loads((bundle / "config.json").read_text())["process"]
    grants = host_grants(SYS_RESOURCE)
    assert ("CAP_SYS_RESOURCE" in asked["capabilities"]["bounding"]) == grants
    assert ("CAP_SYS_RESOURCE" in asked["capabilities"]["effective"]) == grants
    assert ("CAP_CHOWN" in asked["capabilities"]["bounding"]) == host_grants(0)
    assert asked["oomScoreAdj"] == (score - 1 if grants else score)
    hard = 2**40 if grants or files == resource.RLIM_INFINITY else min(2**40, files)
    assert asked["rlimits"] == [{"type": "RLIMIT_NOFILE", "hard": hard, "soft": 7}]
    assert asked["cwd"] == "/"


@pytest.mark.skipif(
    not shutil.which("jq"), reason="the wrapper runs where jq is: in a node, and on hosts made ready"
)
def test_the_bounded_runtime_passes_the_answer_of_the_real_one_on(tmp_path: Path) -> None:
    wrapper = tmp_path / "false-bounded"
    wrapper.symlink_to(NODE / "root/usr/local/lib/shimlab/runc-bounded")
    assert command.program(wrapper, "state", "name").returncode == 1
    (tmp_path / "process.json").write_text(json.dumps({"oomScoreAdj": -1000, "args": ["true"]}))
    done = command.program(wrapper, "exec", "--process", tmp_path / "process.json", "name")
    assert done.returncode == 1
    assert json.loads((tmp_path / "process.json").read_text())["args"] == ["true"]
