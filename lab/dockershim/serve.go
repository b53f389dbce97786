package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"google.golang.org/grpc"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/dockershim"
)

const (
	// As the kubelet's own: gRPC's default of 4 MB is too small for a node's list of containers.
	maxMessage = 16 << 20
	// What calls under way get to end by themselves; a pull of an image may take longer and is cut off.
	patience = 5 * time.Second
)

// serve answers on the socket at path until a signal comes, then lets calls end and takes the socket away.
func serve(path string, service dockershim.DockerService, ends <-chan os.Signal) error {
	listener, err := listen(path)
	if err != nil {
		return err
	}
	defer remove(path, listener)
	if err := service.Start(); err != nil {
		return fmt.Errorf("dockershim does not start: %v", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	runtimeapi.RegisterRuntimeServiceServer(server, service)
	runtimeapi.RegisterImageServiceServer(server, service)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	klog.Infof("CRI v1alpha2 on unix://%s", path)
	// `systemctl start` returns at this, so whoever starts the kubelet next finds the socket. Without systemd it does nothing.
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		klog.Warningf("systemd could not be told that the socket is there: %v", err)
	}
	select {
	case err := <-failed:
		return fmt.Errorf("unix://%s: %v", path, err)
	case sign := <-ends:
		klog.Infof("%v: the containers go on, only this ends", sign)
	}
	late := time.AfterFunc(patience, server.Stop)
	server.GracefulStop()
	late.Stop()
	return nil
}

// listen makes the socket. One that nobody answers on is a leftover and goes; one in use stays: taking another program's
// socket away is what the kubelet's dockershim did to containerd's.
func listen(path string) (*net.UnixListener, error) {
	if connection, err := net.DialTimeout("unix", path, time.Second); err == nil {
		connection.Close()
		return nil, fmt.Errorf("somebody serves on unix://%s already; stop that, or choose another --listen", path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is not a socket; choose another --listen", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	// gRPC closes the listener, and would take away whatever lies at the path by then; remove looks first.
	listener.SetUnlinkOnClose(false)
	// Whoever may write here is root on this node.
	if err := os.Chmod(path, 0o660); err != nil {
		listener.Close()
		os.Remove(path)
		return nil, err
	}
	return listener, nil
}

// remove closes the listener and takes its socket away, unless another one has been put in its place.
func remove(path string, listener *net.UnixListener) {
	listener.Close()
	if answering, err := net.DialTimeout("unix", path, time.Second); err == nil {
		answering.Close()
		return
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		klog.Warningf("%v", err)
	}
}
