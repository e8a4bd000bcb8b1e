package attack_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// soakVariable sets how long the floods beside users last, as in "20s".
const soakVariable = "SIGNEDSOCKET_SOAK"

// TestAFloodOfMessagesIsStopped: one connection sends as fast as it can. At most the limit of one window passes, or of
// two when a window ends meanwhile. The rest is refused, and the third refusal ends the connection.
func TestAFloodOfMessagesIsStopped(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "5"}})
	mallory := clienttest.Connect(t, s.client, "mallory")
	floodUntilRefused(t, mallory)
	const flood = 30
	for i := range flood {
		message := stageclient.Outgoing{Text: fmt.Sprint("flood ", i), ID: fmt.Sprint("m-", i)}
		if err := mallory.Send(clienttest.Within(t), message); err != nil {
			break // the connection is closed, and so the flood ends
		}
	}
	if bye := clienttest.Await[stageclient.Bye](t, mallory); bye.Code != "kicked" {
		t.Errorf("the flood ends with %s, want kicked", bye.Code)
	}
	// Other users notice nothing, and the flood has ended.
	clienttest.Send(t, s.friend, "quiet again", "")
	heard := 0
	for {
		message := clienttest.Await[stageclient.Message](t, s.victim)
		if message.From.Sub == "friend" {
			break
		}
		heard++
	}
	if heard > 2*5 {
		t.Errorf("the victim received %d messages of the flood, want at most 10", heard)
	}
	// No member gets a message of a kicked user.
	// it may be closed by now
	_ = mallory.Send(clienttest.Within(t), stageclient.Outgoing{Text: "once more", ID: "m-last"})
	clienttest.Send(t, s.friend, "and still quiet", "")
	if message := clienttest.Await[stageclient.Message](t, s.victim); message.From.Sub != "friend" {
		t.Errorf("the victim got %+v from a kicked user", message)
	}
}

// floodUntilRefused sends one message after each answer until one is refused. That is the first strike. A later strike
// may end the connection before its answer is read.
func floodUntilRefused(t *testing.T, conn *stageclient.Conn) {
	t.Helper()
	for i := 0; ; i++ {
		clienttest.Send(t, conn, fmt.Sprint("before the flood ", i), fmt.Sprint("b-", i))
		for answered := false; !answered; {
			frame, err := conn.Next(clienttest.Within(t))
			if err != nil {
				t.Fatalf("wait for the answer to message %d: %v", i, err)
			}
			switch f := frame.(type) {
			case stageclient.Ack:
				answered = true
			case stageclient.Error:
				if f.Code != "rate_limited" {
					t.Fatalf("message %d is refused as %s, want rate_limited", i, f.Code)
				}
				return
			}
		}
	}
}

// TestAKickedUserCannotSend: a user who breaks the rules three times in a minute is kicked. Later messages of the user,
// even valid ones, reach no member.
func TestAKickedUserCannotSend(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	mallory := clienttest.Connect(t, s.client, "mallory")
	signed, _ := clienttest.Sign(t, s.client, "mallory")
	for range 3 {
		if err := mallory.SendText(clienttest.Within(t), `{"action":"sendmessage","mesage":"x"}`); err != nil {
			t.Fatal(err)
		}
	}
	if bye := clienttest.Await[stageclient.Bye](t, mallory); bye.Code != "kicked" {
		t.Errorf("said bye with %q, want kicked", bye.Code)
	}
	if _, err := mallory.Next(clienttest.Within(t)); err == nil {
		t.Error("the kicked connection is still open")
	}
	within := clienttest.Within(t)
	// $disconnect comes a moment later.
	for look := time.Tick(5 * time.Millisecond); len(s.items(t).keys("CONN#")) > 2; <-look {
		if within.Err() != nil {
			t.Fatal("the table still knows the kicked connection")
		}
	}
	s.unharmed(t, []string{sendFunction, connectFunction, disconnectFunction}, func() {
		_ = mallory.Send(clienttest.Within(t), stageclient.Outgoing{Text: "I am sorry", ID: "m-1"}) // it is closed
		g, proof := grant(func(g *stageclient.Grant) { g.Sub = signed.User.Sub })
		conn, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, signURLFunction, g).URL,
			proof.Verifier, nil)
		clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		s.wantReason(t, connectFunction, "kicked")
	})
}

// TestOneUserHoldsNoMoreConnectionsThanAllowed: a script opens many sockets. The user's oldest ones are closed, and
// other users keep theirs.
func TestOneUserHoldsNoMoreConnectionsThanAllowed(t *testing.T) {
	t.Parallel()
	s := open(t,
		stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "3", "MessagesPerWindow": "1000"}})
	for range 8 {
		clienttest.Connect(t, s.client, "mallory")
	}
	table := s.items(t)
	if connections := len(table.keys("CONN#")); connections != 2+3 {
		t.Errorf("the table holds %d connections, want the two of the others and three", connections)
	}
	if members := len(table.keys("ROOM#lobby#")); members != 2+3 {
		t.Errorf("the lobby has %d members, want 5", members)
	}
	s.nothingDelivered(t)
}

// TestAFloodOfRequestsIsThrottledBeforeAnyFunction: unsigned handshakes invoke nothing. Requests for URLs invoke no
// more than the route's throttle allows.
func TestAFloodOfRequestsIsThrottledBeforeAnyFunction(t *testing.T) {
	t.Parallel()
	localOnly(t, "counts invocations, and AWS throttles at best effort")
	s := open(
		t,
		stagetest.Options{
			Parameters: map[string]string{"SignUrlRate": "20", "SignUrlBurst": "40", "MessagesPerWindow": "1000"},
		},
	)
	s.unharmed(t, nil, func() {
		for range 200 {
			if status := s.handshake(t, "", "/prod"); status != http.StatusForbidden {
				t.Fatalf("an unsigned handshake was answered %d, want 403", status)
			}
		}
	})
	token, throttled, before := clienttest.Token(t, s.client, "mallory"), 0, s.Invocations(signURLFunction)
	// Unlike the client of the suite, this one does not wait after a 429.
	hasty := stageclient.Client{Outputs: s.client.Outputs}
	answers := make(chan int)
	const flood = 300
	for range flood {
		go func() {
			_, err := hasty.SignURL(t.Context(), token, nil, "")
			refused, ok := errors.AsType[*stageclient.SignError](err)
			if !ok {
				answers <- http.StatusOK
				return
			}
			answers <- refused.Status
		}()
	}
	for range flood {
		if <-answers == http.StatusTooManyRequests {
			throttled++
		}
	}
	if invoked := s.Invocations(signURLFunction) - before; throttled == 0 || invoked+throttled != flood {
		t.Errorf("of %d requests %d were throttled and %d reached the function", flood, throttled, invoked)
	}
	s.nothingDelivered(t)
}

// TestRequestsWithoutATokenDoNotBlockUsers: the route has one bucket for all requests, with and without a token. The
// bucket has to be large enough for both.
func TestRequestsWithoutATokenDoNotBlockUsers(t *testing.T) {
	t.Parallel()
	localOnly(t, "floods a door that others use")
	s := openEmpty(t, stagetest.Options{})
	answers := s.floodBesideUsers(t, "", func(*http.Response) {})
	if len(answers) != 1 || answers[http.StatusUnauthorized] == 0 {
		t.Errorf("the stranger was answered %v, want 401 alone", answers)
	}
}

// TestRequestsOfOneUserDoNotBlockOthers: a user gets URLs up to the limit of a minute, and learns then when to ask
// again. Other users notice nothing.
func TestRequestsOfOneUserDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	localOnly(t, "floods a door that others use")
	s := openEmpty(t, stagetest.Options{})
	began := time.Now()
	answers := s.floodBesideUsers(t, clienttest.Token(t, s.client, "mallory"), func(response *http.Response) {
		after := response.Header.Get("Retry-After")
		wait, err := strconv.Atoi(after)
		if response.StatusCode == http.StatusTooManyRequests && (err != nil || wait < 1 || wait > 60) {
			t.Errorf("429 with Retry-After %q, want 1 to 60", after)
		}
	})
	const perMinute = 30
	minutes := int(time.Now().Unix()/60-began.Unix()/60) + 1 // of the clock, in which the flood has sent requests
	granted, refused := answers[http.StatusOK], answers[http.StatusTooManyRequests]
	if granted < perMinute || granted > minutes*perMinute || refused == 0 || len(answers) != 2 {
		t.Errorf("the user was answered %v in %d minutes, want 200 %d times in each, and 429", answers, minutes,
			perMinute)
	}
}

// floodBesideUsers sends 60 requests for URLs a second with a token, or without one, and gives their answers to look.
// Meanwhile 20 users, again and again, ask for a URL, and each has to get it. It returns the number of the flood's
// answers by status. It lasts as long as soakVariable says, else 5 s at least.
func (s *scene) floodBesideUsers(t *testing.T, token string, look func(*http.Response)) map[int]int {
	t.Helper()
	lasts := 5 * time.Second
	if text := os.Getenv(soakVariable); text != "" {
		long, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v; say a time such as 20s", soakVariable, err)
		}
		lasts = long
	}
	const perSecond, users = 60, 20
	requests := int(lasts.Seconds() * perSecond)
	// Unlike the client of the suite, this one does not wait after a 429.
	honest := stageclient.Client{Outputs: s.client.Outputs}
	tokens := make([]string, users)
	for i := range tokens {
		tokens[i] = clienttest.Token(t, s.client, fmt.Sprint("user-", i))
	}
	challenge := stageclient.NewProof().Challenge
	asked, stop := keepAsking(t, perSecond, func() int {
		return s.askForURL(t, token, challenge, look)
	})
	began, signed := time.Now(), 0
	for tick := time.Tick(250 * time.Millisecond); signed < users || asked() < requests; <-tick {
		if _, err := honest.SignURL(clienttest.Within(t), tokens[signed%users], nil, challenge); err != nil {
			t.Errorf("honest request %d: %v", signed, err)
		}
		signed++
	}
	answers := stop()
	t.Logf("%d honest requests in %.1f s; the flood was answered %v", signed, time.Since(began).Seconds(), answers)
	return answers
}

// askForURL asks for a URL once and returns the status of the answer, or 0 when there is none.
func (s *scene) askForURL(t *testing.T, token, challenge string, look func(*http.Response)) int {
	body := strings.NewReader(`{"challenge":"` + challenge + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.client.Outputs.SignURL, body)
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	look(response)
	return response.StatusCode
}

// keepAsking calls request at the given rate a second until stop is called. asked returns the number of answers so far,
// and stop the number of answers by status. After a pause of this process it catches up.
func keepAsking(t *testing.T, perSecond int, request func() int) (asked func() int, stop func() map[int]int) {
	t.Helper()
	tick, done := time.NewTicker(time.Second/time.Duration(perSecond)), make(chan struct{})
	var mu sync.Mutex
	var running sync.WaitGroup
	answers, count := map[int]int{}, 0
	ask := func() {
		status := request()
		mu.Lock()
		defer mu.Unlock()
		answers[status]++
		count++
	}
	running.Go(func() {
		for began, sent := time.Now(), 0; ; {
			select {
			case <-done:
				return
			case <-tick.C:
				for due := int(time.Since(began).Seconds() * float64(perSecond)); sent < due; sent++ {
					running.Go(ask)
				}
			}
		}
	})
	asked = func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
	return asked, func() map[int]int {
		tick.Stop()
		close(done)
		running.Wait()
		return answers
	}
}
