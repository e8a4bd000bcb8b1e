package gateway

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// maxQueued is the number of bytes that may wait for a reader that is slower than its posters. Source: assumed; the
	// service says only that the buffer is finite.
	maxQueued = 1 << 20
	// maxBatch is the number of bytes of one write, so that a queue drains visibly.
	maxBatch = 64 << 10
	// directWait bounds the write that a sender does by itself. It passes only when the socket's own buffer is full.
	directWait = 2 * time.Millisecond
)

var (
	// errFull means that the queue has no room: the client reads too slowly.
	errFull = errors.New("outgoing buffer is full")
	// errShut means that the connection has begun to end.
	errShut = errors.New("connection is ending")
)

// outbox writes frames to one socket in the order in which they were sent. A sender that finds it free writes by
// itself. Otherwise the frame waits in a bounded queue, whose goroutine exists only while the queue has frames.
type outbox struct {
	socket net.Conn
	work   *sync.WaitGroup

	mu      sync.Mutex
	busy    bool // a write is under way, or none is allowed yet
	shut    bool // accepts no more frames
	held    bool // writes nothing before the first release
	queue   net.Buffers
	queued  int           // bytes in queue and in the batch being written
	drained chan struct{} // closed when shut and empty; nil until shut
}

// newOutbox returns an outbox that begins with first and writes nothing until release is called.
func newOutbox(socket net.Conn, work *sync.WaitGroup, first []byte, held bool) *outbox {
	return &outbox{socket: socket, work: work, busy: true, held: held, queue: net.Buffers{first}, queued: len(first)}
}

// send writes or queues one whole frame and becomes its owner. It never waits longer than directWait. It returns
// errFull or errShut when it does not take the frame.
func (o *outbox) send(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.shut:
		return errShut
	case o.queued > 0 && o.queued+len(frame) > maxQueued:
		return errFull
	}
	o.queued += len(frame)
	if o.busy {
		o.queue = append(o.queue, frame)
		return nil
	}
	o.busy = true
	o.mu.Unlock()
	n, err := o.writeNow(frame)
	o.mu.Lock()
	o.queued -= n
	if n < len(frame) && !o.failed(err) {
		o.queue = append(net.Buffers{frame[n:]}, o.queue...)
	}
	o.settle()
	return nil
}

// writeNow writes the bytes that the socket takes at once.
func (o *outbox) writeNow(frame []byte) (int, error) {
	if err := o.socket.SetWriteDeadline(time.Now().Add(directWait)); err != nil {
		return 0, err
	}
	n, err := o.socket.Write(frame)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// release writes the queue until it is empty. It runs while busy is set, alone.
func (o *outbox) release() {
	err := o.socket.SetWriteDeadline(time.Time{})
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 && !o.failed(err) {
		batch, size := o.nextBatch()
		o.mu.Unlock()
		_, err = batch.WriteTo(o.socket)
		o.mu.Lock()
		o.queued -= size
		if o.held {
			return
		}
	}
	o.failed(err)
	o.busy = false
	o.finish()
}

// nextBatch takes the frames of one write from the queue.
func (o *outbox) nextBatch() (batch net.Buffers, size int) {
	count := 0
	for count < len(o.queue) && (count == 0 || size+len(o.queue[count]) <= maxBatch) {
		size += len(o.queue[count])
		count++
	}
	batch, o.queue = o.queue[:count:count], o.queue[count:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	return batch, size
}

// settle ends a direct write. Frames that were queued meanwhile get a goroutine.
func (o *outbox) settle() {
	if len(o.queue) > 0 {
		o.work.Go(o.release)
		return
	}
	o.busy = false
	o.finish()
}

// failed closes the socket if err is not nil, so that its reader ends, too.
func (o *outbox) failed(err error) bool {
	if err == nil {
		return false
	}
	o.shut, o.queue, o.queued = true, nil, 0
	_ = o.socket.Close() // already useless
	return true
}

// finish tells a waiting close that everything has been written.
func (o *outbox) finish() {
	if o.shut && o.drained != nil {
		close(o.drained)
		o.drained = nil
	}
}

// close accepts last, which may be nil, as the last frame, even into a full queue. It returns a channel that is closed
// when everything has been written. It is called once and does not wait.
func (o *outbox) close(last []byte) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	drained := make(chan struct{})
	o.drained = drained
	if !o.shut && last != nil {
		o.queue = append(o.queue, last)
		o.queued += len(last)
	}
	o.shut = true
	if !o.busy {
		o.busy = true
		o.settle()
	}
	return drained
}
