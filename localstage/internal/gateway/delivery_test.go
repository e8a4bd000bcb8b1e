package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

// fill posts to a client that does not read until its buffer is full.
func fill(t *testing.T, s *stage, id string) {
	t.Helper()
	body := strings.Repeat("x", 131072)
	for range 1000 {
		switch response := s.manage(t, "POST", id, body); response.StatusCode {
		case 200:
		case 429:
			if got := response.Header.Get("x-amzn-ErrorType"); got != "LimitExceededException" {
				t.Errorf("x-amzn-ErrorType %q", got)
			}
			return
		default:
			t.Fatalf("post answered %d", response.StatusCode)
		}
	}
	t.Fatal("the buffer never became full")
}

func TestSlowReaderGets429AndDelaysNoOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	slow, r := s.upgraded(t)
	slowID := s.connect.next(t).RequestContext.ConnectionID
	fast, fastID := s.connected(t)
	fill(t, s, slowID)
	for i := range 20 {
		begun := time.Now()
		s.post(t, slowID, strings.Repeat("x", 131072), 429)
		s.post(t, fastID, strconv.Itoa(i), 200)
		if got := readText(t, fast); got != strconv.Itoa(i) {
			t.Fatalf("fast reader got %q", got)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Fatalf("the slow reader held posters for %v", took)
		}
	}
	go io.Copy(io.Discard, r)
	clienttest.Eventually(t, "room in the buffer", func() bool {
		return s.manage(t, "POST", slowID, "again").StatusCode == 200
	})
	slow.Close()
}

func TestSlowReaderIsClosedInTheEnd(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	s.upgraded(t)
	id := s.connect.next(t).RequestContext.ConnectionID
	fill(t, s, id)
	clock.Move(10 * time.Minute)
	if code, _ := s.disconnected(t); code != 1001 {
		t.Errorf("disconnectStatusCode %d", code)
	}
}

func TestPostsOfOneCallerArriveInOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	const callers, posts = 4, 50
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range posts {
				s.post(t, id, fmt.Sprintf("%d %d", caller, i), 200)
			}
		})
	}
	next := map[int]int{}
	for range callers * posts {
		var caller, i int
		if _, err := fmt.Sscanf(readText(t, c), "%d %d", &caller, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[caller] {
			t.Fatalf("caller %d: got %d, want %d", caller, i, next[caller])
		}
		next[caller]++
	}
	all.Wait()
}

// drain reads until the connection ends.
func drain(c *websocket.Conn) {
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			return
		}
	}
}

// All operations run on the same connections at once. The race detector and the leak check of TestMain judge.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			c, _, err := websocket.Dial(t.Context(), "ws://"+s.host+"/prod", nil)
			if err != nil {
				return // the stage may have closed already
			}
			all.Go(func() { drain(c) })
			defer c.CloseNow()
			for _, info := range s.Connections() {
				s.manage(t, "POST", info.ConnectionID, "hello")
				s.manage(t, "GET", info.ConnectionID, "")
			}
			_ = c.Write(t.Context(), websocket.MessageText, []byte("hi")) // may be closed
			if i%4 == 0 {
				for _, info := range s.Connections() {
					s.manage(t, "DELETE", info.ConnectionID, "")
				}
			}
			clock.Move(time.Minute)
		})
	}
	all.Wait()
	closeNow(t, s)
	if connects, disconnects := len(s.connect.events), len(s.disconnect.events); connects != disconnects {
		t.Errorf("%d $connect, %d $disconnect", connects, disconnects)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	t.Run("posts to open connections are gone", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{GonePosts: 1}}})
		_, id := s.connected(t)
		s.post(t, id, "x", http.StatusGone)
	})
	t.Run("posts are limited", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{LimitPosts: 1}}})
		_, id := s.connected(t)
		s.post(t, id, "x", http.StatusTooManyRequests)
	})
	t.Run("posts are lost", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{LosePosts: 1}}})
		c, id := s.connected(t)
		s.post(t, id, "x", http.StatusOK)
		if code := s.manage(t, "DELETE", id, "").StatusCode; code != http.StatusNoContent {
			t.Fatalf("DELETE answered %d", code)
		}
		if _, data, err := c.Read(t.Context()); err == nil {
			t.Errorf("the client got %q", data)
		}
	})
	t.Run("disconnects are lost", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{LoseDisconnects: 1}}})
		s.dial(t).CloseNow()
		closeNow(t, s)
		if len(s.disconnect.events) != 0 {
			t.Error("$disconnect ran")
		}
	})
	t.Run("readers are held", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{HoldReaders: 1}}})
		_, id := s.connected(t)
		fill(t, s, id)
	})
	t.Run("TCP connections are cut", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{DropTCP: 1}}})
		c := s.dial(t)
		writeText(t, c, "x")
		if code, _ := s.disconnected(t); code != 1006 {
			t.Errorf("disconnectStatusCode %d", code)
		}
	})
	t.Run("the same seed gives the same sequence", func(t *testing.T) {
		t.Parallel()
		if a, b := faultSequence(t), faultSequence(t); a != b || !strings.Contains(a, "410") ||
			!strings.Contains(a, "200") {
			t.Errorf("sequences\n%s\n%s", a, b)
		}
		if a, b := lostPosts(t), lostPosts(t); a != b || a == "" || strings.Count(a, " ") >= 20 {
			t.Errorf("of 20 posts these arrived\n%s\n%s", a, b)
		}
	})
}

func faultSequence(t *testing.T) string {
	t.Helper()
	s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{GonePosts: 0.5, Seed: 7}}})
	_, id := s.connected(t)
	var statuses []string
	for range 20 {
		statuses = append(statuses, s.manage(t, "POST", id, "x").Status)
	}
	return strings.Join(statuses, " ")
}

// lostPosts posts 20 times and returns the posts that arrive.
func lostPosts(t *testing.T) string {
	t.Helper()
	s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{LosePosts: 0.5, Seed: 7}}})
	c, id := s.connected(t)
	for i := range 20 {
		s.post(t, id, fmt.Sprint(i), http.StatusOK)
	}
	s.manage(t, "DELETE", id, "")
	arrived := ""
	for {
		_, data, err := c.Read(t.Context())
		if err != nil {
			return arrived
		}
		arrived += string(data) + " "
	}
}
