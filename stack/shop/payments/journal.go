package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	journalName   = "payments.jsonl"
	keepTime      = 24 * time.Hour
	lockTime      = 8 * time.Second // a predecessor that is stopping may hold the journal this long
	maxBatchLines = 512
)

var errJournalClosed = errors.New("the journal is closed")

// journal is a file with one JSON line a change. A line is on the disk before append returns; lines of requests that run
// at the same time share one fsync.
type journal struct {
	folder    *os.File // carries the lock
	file      *os.File
	sizeBytes int64 // up to here every line is whole and on the disk
	broken    error // set when the file could not be brought back to sizeBytes
	incoming  chan pendingLine
	closing   chan struct{}
	closed    chan struct{}
}

type pendingLine struct {
	text []byte
	done chan error
}

// openJournal replays what is there. `repaired` tells what was cut off, empty when nothing was.
func openJournal(folder string, now time.Time) (j *journal, payments map[string]payment, repaired string, err error) {
	j = &journal{incoming: make(chan pendingLine), closing: make(chan struct{}), closed: make(chan struct{})}
	replayed, err := j.load(folder, now)
	if err != nil {
		j.release()
		return nil, nil, "", err
	}
	if replayed.tornBytes > 0 {
		repaired = fmt.Sprintf("The last line was torn; %d bytes were cut off.", replayed.tornBytes)
	}
	go j.write()
	return j, replayed.payments, repaired, nil
}

// load opens, reads, repairs and shortens the file.
func (j *journal) load(folder string, now time.Time) (replayed replayedJournal, err error) {
	if err = os.MkdirAll(folder, 0o750); err != nil {
		return replayed, err
	}
	if j.folder, err = lockFolder(folder); err != nil {
		return replayed, err
	}
	path := filepath.Join(folder, journalName)
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640); err != nil {
		return replayed, err
	}
	if replayed, err = replay(j.file, now); err != nil {
		return replayed, fmt.Errorf("%s: %w", path, err)
	}
	j.sizeBytes = replayed.wholeBytes
	if err = j.truncate(); err != nil {
		return replayed, err
	}
	if replayed.old {
		if err = j.rewrite(path, replayed.payments); err != nil {
			return replayed, err
		}
	}
	return replayed, j.folder.Sync()
}

// lockFolder makes sure that no two processes write one journal. The lock ends with the process, however that dies.
func lockFolder(path string) (*os.File, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockTime); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) || time.Now().After(deadline) {
			folder.Close()
			return nil, fmt.Errorf("%s is used by another process: %w", path, err)
		}
	}
}

type replayedJournal struct {
	payments   map[string]payment
	wholeBytes int64
	tornBytes  int64
	old        bool // there are lines to be dropped
}

// replay reads the last state of each payment. Only the last line may be damaged: that is what a crash leaves behind.
func replay(file io.Reader, now time.Time) (replayedJournal, error) {
	result := replayedJournal{payments: map[string]payment{}}
	oldest := now.Add(-keepTime)
	reader := bufio.NewReaderSize(file, 1<<16)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err == io.EOF {
			result.tornBytes += int64(len(text))
			break
		}
		if err != nil {
			return result, err
		}
		if result.tornBytes > 0 {
			return result, fmt.Errorf("line %d is damaged and not the last one", number-1)
		}
		var one payment
		if json.Unmarshal(text, &one) != nil || !one.valid() {
			result.tornBytes = int64(len(text))
			continue
		}
		result.wholeBytes += int64(len(text))
		result.old = result.old || one.ChangedAt.Before(oldest)
		result.payments[one.OrderID] = one
	}
	for id, one := range result.payments {
		// A hold that is still open is kept whatever its age: it is yet to be reported as expired.
		if one.ChangedAt.Before(oldest) && one.Status != authorized {
			delete(result.payments, id)
		}
	}
	return result, nil
}

// rewrite replaces the file by one with a line a payment; a crash leaves either the old or the new one.
func (j *journal) rewrite(path string, payments map[string]payment) error {
	fresh, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(fresh)
	size := int64(0)
	for _, one := range payments {
		text := one.journalLine()
		size += int64(len(text))
		buffered.Write(text) // an error is kept and returned by Flush
	}
	if err = errors.Join(buffered.Flush(), fresh.Sync()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		fresh.Close()
		return err
	}
	j.file.Close()
	j.file, j.sizeBytes = fresh, size
	return nil
}

// append returns once the change is on the disk.
func (j *journal) append(one payment) error {
	pending := pendingLine{text: one.journalLine(), done: make(chan error, 1)}
	select {
	case j.incoming <- pending:
		return <-pending.done
	case <-j.closing:
		return errJournalClosed
	}
}

// write is the only one that touches the file.
func (j *journal) write() {
	defer close(j.closed)
	for {
		select {
		case first := <-j.incoming:
			j.writeBatch(j.withWaiting(first))
		case <-j.closing:
			return
		}
	}
}

// withWaiting adds the lines of those who wait already, so that one fsync serves all of them.
func (j *journal) withWaiting(first pendingLine) []pendingLine {
	batch := []pendingLine{first}
	for len(batch) < maxBatchLines {
		select {
		case next := <-j.incoming:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (j *journal) writeBatch(batch []pendingLine) {
	var text []byte
	for _, one := range batch {
		text = append(text, one.text...)
	}
	err := j.writeDurably(text)
	for _, one := range batch {
		one.done <- err
	}
}

// writeDurably writes all or nothing: a half-written batch is cut off again, or nothing is written any more.
func (j *journal) writeDurably(text []byte) error {
	if j.broken != nil {
		return j.broken
	}
	_, err := j.file.WriteAt(text, j.sizeBytes)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		err = fmt.Errorf("the journal could not be written: %w", err)
		if cut := j.truncate(); cut != nil {
			j.broken = err
		}
		return err
	}
	j.sizeBytes += int64(len(text))
	return nil
}

func (j *journal) truncate() error {
	return errors.Join(j.file.Truncate(j.sizeBytes), j.file.Sync())
}

// close waits for the batch that is being written.
func (j *journal) close() {
	close(j.closing)
	<-j.closed
	j.release()
}

func (j *journal) release() {
	if j.file != nil {
		j.file.Close()
	}
	if j.folder != nil {
		j.folder.Close()
	}
}
