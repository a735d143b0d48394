// Command payments authorizes, captures and voids the payments of the demo shop.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	finishSeconds = 5                      // how long running requests may go on after SIGTERM
	newConnGrace  = 100 * time.Millisecond // how long a connection without any request may hold up the stop
	flushTime     = 600 * time.Millisecond // a collector that does not answer must not hold it up longer
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout))
}

// run is the whole process; it returns the exit code, so that every deferred clean-up happens.
func run(arguments []string, stdout io.Writer) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGPIPE) // nobody reads the log any more: that must not end the service

	flags := flag.NewFlagSet("payments", flag.ContinueOnError)
	address := flags.String("listen", "0.0.0.0:8082", "`address` to listen on")
	folder := flags.String("journal", "/var/lib/payments", "`folder` of the journal")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(flags.Output(), "payments takes no arguments, only flags: %q\n", flags.Args())
		return 2
	}

	settings, err := readSettings(os.Getenv)
	log := newLogger(stdout, settings.version)
	if err != nil {
		log.unexpected(context.Background(), err)
		return 1
	}
	settings.journalFolder = *folder
	service, err := newService(settings, log)
	if err != nil {
		log.unexpected(context.Background(), err)
		return 1
	}
	defer service.close()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.unexpected(context.Background(), err)
		return 1
	}
	if err := serve(service, listener, signals); err != nil {
		log.unexpected(context.Background(), err)
		return 1
	}
	return 0
}

// serve answers requests until a signal arrives, then lets those that run finish.
func serve(service *service, listener net.Listener, signals <-chan os.Signal) error {
	fresh := &freshConnections{open: map[net.Conn]bool{}}
	server := &http.Server{
		Handler:           service,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      90 * time.Second, // longer than the longest fault
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          service.log.forServer(),
		ConnState:         fresh.watch,
		// OPTIONS * is a request like any other: counted and logged.
		DisableGeneralOptionsHandler: true,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(refusingListener{listener, service}) }()
	service.log.info(context.Background(), line{Message: "listening", Address: listener.Addr().String()})

	select {
	case err := <-failed:
		return err
	case <-signals:
	}
	service.log.info(context.Background(), line{Message: "stopping"})
	ctx, cancel := context.WithTimeout(context.Background(), finishSeconds*time.Second)
	defer cancel()
	timer := time.AfterFunc(newConnGrace, fresh.close)
	defer timer.Stop()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
	}
	return nil
}

// freshConnections are those that have not sent a byte yet. Shutdown waits for them as if a request were on its way.
type freshConnections struct {
	mutex sync.Mutex
	open  map[net.Conn]bool
}

func (f *freshConnections) watch(connection net.Conn, state http.ConnState) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if state == http.StateNew {
		f.open[connection] = true
	} else {
		delete(f.open, connection)
	}
}

func (f *freshConnections) close() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for connection := range f.open {
		connection.Close()
	}
}
