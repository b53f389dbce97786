// Command dockershim-out-of-tree is the dockershim of Kubernetes 1.20.15 as a program of its own: it serves the container
// runtime interface (CRI, v1alpha2) on a Unix socket and does what it is asked through Docker Engine.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cri/streaming"
	"k8s.io/kubernetes/pkg/kubelet/dockershim"
)

const usage = `dockershim-out-of-tree: Kubernetes 1.20.15's dockershim, outside the kubelet.

Until 1.23 a kubelet carried this code and spoke to Docker Engine through it. Here it is a process with a socket of its
own, which is what cri-dockerd is, so a kubelet that has no dockershim any more can go on with Docker:

  kubelet --container-runtime-endpoint=unix:///run/dockershim-out-of-tree.sock

It speaks CRI v1alpha2 and nothing newer: kubelets up to 1.25 accept that, from 1.26 on they want v1. With the root
directory of the built-in dockershim it knows that one's sandboxes, and takes over containers as they run.

Flags:
`

// The kubelet's own defaults in 1.20 (cmd/kubelet/app/options/container_runtime.go).
const (
	cniConfiguration = "/etc/cni/net.d"
	cniPlugins       = "/opt/cni/bin"
	cniCache         = "/var/lib/cni/cache"
	requestTimeout   = 2 * time.Minute
	pullDeadline     = time.Minute
)

type options struct {
	listen, docker, cgroupDriver, pause, root string
}

func main() {
	// A set of flags of its own: cAdvisor, which dockershim links in, puts a --docker into the global one.
	flags := flag.NewFlagSet("dockershim-out-of-tree", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	logging := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(logging)
	flags.Var(logging.Lookup("v").Value, "v", "`level` of detail in what it logs")
	var o options
	flags.StringVar(&o.listen, "listen", "unix:///run/dockershim-out-of-tree.sock", "`address` to serve the CRI on")
	flags.StringVar(&o.docker, "docker", "unix:///var/run/docker.sock", "`address` of Docker Engine")
	flags.StringVar(&o.cgroupDriver, "cgroup-driver", "", "the kubelet's cgroup `driver`; must be Docker's too, empty: whichever Docker has")
	flags.StringVar(&o.pause, "pod-infra-container-image", "k8s.gcr.io/pause:3.2", "`image` of the container that holds a pod's namespaces")
	flags.StringVar(&o.root, "root-directory", "/var/lib/dockershim", "`folder` of the sandboxes' checkpoints; the kubelet's is /var/lib/dockershim")

	switch err := flags.Parse(os.Args[1:]); {
	case err == flag.ErrHelp:
		return
	case err != nil:
		os.Exit(2)
	case flags.NArg() > 0:
		fmt.Fprintf(os.Stderr, "dockershim-out-of-tree: unexpected argument %q; see --help\n", flags.Arg(0))
		os.Exit(2)
	}
	err := run(o)
	klog.Flush()
	if err != nil {
		fmt.Fprintf(os.Stderr, "dockershim-out-of-tree: %v\n", err)
		os.Exit(1)
	}
}

// run serves until the process is asked to end (nil) or cannot serve (why).
func run(o options) error {
	if !strings.HasPrefix(o.listen, "unix:///") {
		return fmt.Errorf("--listen=%s is not of the form unix:///path", o.listen)
	}
	// From here on: an end that comes while this starts must find what to clear away.
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)

	service, err := newService(o)
	if err != nil {
		return fmt.Errorf("Docker Engine at %s: %v", o.docker, err)
	}
	return serve(strings.TrimPrefix(o.listen, "unix://"), service, ends)
}

// newService connects the dockershim of 1.20.15 to Docker Engine, set up as the kubelet set it up.
func newService(o options) (dockershim.DockerService, error) {
	// exec, attach and port-forward: the kubelet asks for an address and passes the stream on from there.
	streams := streaming.DefaultConfig
	streams.Addr = "localhost:0"
	return dockershim.NewDockerService(
		&dockershim.ClientConfig{
			DockerEndpoint:            o.docker,
			RuntimeRequestTimeout:     requestTimeout,
			ImagePullProgressDeadline: pullDeadline,
		},
		o.pause,
		&streams,
		&dockershim.NetworkPluginSettings{
			HairpinMode:        kubeletconfig.HairpinVeth,
			PluginName:         "cni",
			PluginConfDir:      cniConfiguration,
			PluginBinDirString: cniPlugins,
			PluginCacheDir:     cniCache,
		},
		"", // no cgroup for Docker's own processes: they stay where systemd put them
		o.cgroupDriver,
		o.root,
	)
}
