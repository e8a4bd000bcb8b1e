package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

const presenceFunction = "PresenceFunction"

// watcher is a connection that counts its presence frames and keeps the newest one.
type watcher struct {
	*stageclient.Conn
	user string

	mu     sync.Mutex
	frames int
	shown  *stageclient.Presence
}

// watch opens a connection with chat.v2, and reads all its frames.
func watch(t *testing.T, c *stageclient.Client, user string) *watcher {
	t.Helper()
	w := &watcher{Conn: clienttest.ConnectWithHistory(t, c, user), user: user}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			frame, err := w.Next(context.WithoutCancel(t.Context()))
			if err != nil {
				return
			}
			if p, ok := frame.(stageclient.Presence); ok {
				w.take(p)
			}
		}
	})
	t.Cleanup(func() { _ = w.Close(); reading.Wait() })
	return w
}

func (w *watcher) take(p stageclient.Presence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames++
	if w.shown == nil || p.N >= w.shown.N {
		w.shown = &p
	}
}

// count returns how many presence frames have come.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames
}

// shows reports whether the connection shows exactly these users, in the order of their ids.
func (w *watcher) shows(users ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shown == nil || w.shown.Count != len(users) {
		return false
	}
	return slices.EqualFunc(w.shown.Users, users, func(u stageclient.User, sub string) bool { return u.Sub == sub })
}

// ask asks who is in the lobby.
func (w *watcher) ask(t *testing.T) {
	t.Helper()
	if err := w.Ask(within(t), stageclient.Question{Here: []string{"lobby"}}); err != nil {
		t.Fatal(err)
	}
}

// open opens a connection that asks at once, as clients do, and waits for the answer.
func open(t *testing.T, c *stageclient.Client, user string) *watcher {
	t.Helper()
	w := watch(t, c, user)
	w.ask(t)
	until(t, user+" is told who is there", func(context.Context) bool { return w.count() > 0 })
	return w
}

// untilAllShow waits until all watchers show exactly these users. Meanwhile the last one asks now and then, more rarely
// than its limit: that tells others of its user as soon as the pace of the room allows it.
func untilAllShow(t *testing.T, watchers []*watcher, users ...string) {
	t.Helper()
	asks := time.NewTicker(700 * time.Millisecond)
	defer asks.Stop()
	until(t, fmt.Sprint("all show ", users), func(context.Context) bool {
		select {
		case <-asks.C:
			watchers[len(watchers)-1].ask(t)
		default:
		}
		return !slices.ContainsFunc(watchers, func(w *watcher) bool { return !w.shows(users...) })
	})
}

// calledByTest keeps the schedule of presence still: the test calls the function.
func calledByTest(template string) string {
	const described = "Description: Tells the members of rooms who is there.\n            "
	return strings.Replace(template, described+"Schedule: rate(1 minute)", described+"Schedule: rate(1 day)", 1)
}

// callPresence runs presence once.
func callPresence(t *testing.T, stage *stagetest.Stage) {
	t.Helper()
	if _, err := stage.Function(presenceFunction).Invoke(within(t), []byte(scheduledEvent)); err != nil {
		t.Fatal(err)
	}
}

// untilCalled calls presence again and again until all watchers show exactly these users.
func untilCalled(t *testing.T, stage *stagetest.Stage, watchers []*watcher, users ...string) {
	t.Helper()
	until(t, fmt.Sprint("all show ", users), func(context.Context) bool {
		callPresence(t, stage)
		return !slices.ContainsFunc(watchers, func(w *watcher) bool { return !w.shows(users...) })
	})
}

func TestRosterListsConnectedUsers(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice := open(t, client, "alice")
	if !alice.shows(whoIs(t, client, "alice").Sub) {
		t.Errorf("alice alone shows %+v", alice.shown)
	}
	bob := open(t, client, "bob")
	users := []string{whoIs(t, client, "alice").Sub, whoIs(t, client, "bob").Sub}
	slices.Sort(users)
	untilAllShow(t, []*watcher{alice, bob}, users...)
	for _, u := range alice.shown.Users {
		if u != whoIs(t, client, "alice") && u != whoIs(t, client, "bob") {
			t.Errorf("shows %+v", u)
		}
	}
}

// TestARoomOfEightShards: presence reads all of them.
func TestRosterListsUsersOfAllShards(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{
		Edit: calledByTest, Parameters: map[string]string{"RoomShards": "8", "PresenceLimit": "2"},
	})
	all := []*watcher{open(t, client, "alice"), open(t, client, "bob")}
	untilCalled(t, stage, all, "alice", "bob")
	all = append(all, open(t, client, "carol"))
	until(t, "all show a number", func(context.Context) bool {
		callPresence(t, stage)
		return !slices.ContainsFunc(all, func(w *watcher) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.shown.Count != 3 || w.shown.Users != nil
		})
	})
}

// TestAReloadIsNoLeave: neither is a second tab, nor its end.
func TestAReloadIsNoLeave(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Edit: calledByTest})
	alice, bob := open(t, client, "alice"), open(t, client, "bob")
	untilCalled(t, stage, []*watcher{alice, bob}, "alice", "bob")
	before := alice.count()
	for range 3 {
		_ = bob.Close()
		stage.AwaitConnections(t, 1)
		bob = open(t, client, "bob")
		tab := open(t, client, "bob")
		_ = tab.Close()
		stage.AwaitConnections(t, 2)
		callPresence(t, stage)
	}
	settled(t, alice)
	if n := alice.count() - before; n != 0 {
		t.Errorf("alice got %d presence frames about reloads", n)
	}
}

func TestARotationIsNoLeave(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Edit: calledByTest})
	alice, bob := open(t, client, "alice"), open(t, client, "bob")
	untilCalled(t, stage, []*watcher{alice, bob}, "alice", "bob")
	before := alice.count()
	for range 3 {
		next := open(t, client, "bob")
		callPresence(t, stage)
		_ = bob.Close()
		stage.AwaitConnections(t, 2)
		callPresence(t, stage)
		bob = next
	}
	settled(t, alice)
	if n := alice.count() - before; n != 0 {
		t.Errorf("alice got %d presence frames about rotations", n)
	}
	_ = bob.Close()
	stage.AwaitConnections(t, 1)
	untilCalled(t, stage, []*watcher{alice}, "alice")
}

// settled waits until all frames that were posted before have come: they come in order.
func settled(t *testing.T, w *watcher) {
	t.Helper()
	before := w.count()
	w.ask(t)
	until(t, "the answer has come", func(context.Context) bool { return w.count() > before })
	w.mu.Lock()
	w.frames = before + (w.frames - before - 1) // without the answer
	w.mu.Unlock()
}

// hurried lets a minute of the stage's schedules take a tenth of a second. The functions keep the true time.
func hurried(c *localstage.Config) {
	c.Clock = hurriedClock{started: time.Now()}
	c.IdleTimeout, c.MaxAge = 24*time.Hour, 48*time.Hour
}

// TestACrowdOfJoinsPushesOnce: 200 users enter a room at the same time, while presence runs ten times a second. Told of
// each join, they would get 20,000 frames.
func TestACrowdOfJoinsPushesOnce(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"PresenceLimit": "200", "ConnectRate": "500", "SignUrlRate": "10000",
			"SignUrlBurst": "5000", "ConnectBurst": "5000"},
		Configure: hurried,
	})
	const crowd, atOnce = 200, 10 // more handshakes at once would time out on a busy machine
	began := time.Now()
	watchers := make([]*watcher, crowd)
	var joins sync.WaitGroup
	for first := range atOnce {
		joins.Go(func() {
			for i := first; i < crowd; i += atOnce {
				watchers[i] = watch(t, client, fmt.Sprint("user-", i))
				watchers[i].ask(t)
			}
		})
	}
	joins.Wait()
	if t.Failed() {
		return
	}
	until(t, "each client has its answer", func(context.Context) bool {
		return !slices.ContainsFunc(watchers, func(w *watcher) bool { return w.count() == 0 })
	})
	frames := 0
	for _, w := range watchers {
		frames += w.count()
	}
	minutes := time.Since(began).Minutes()
	if allowed := crowd + 50*minutes; float64(frames-crowd) > allowed {
		t.Errorf("%d frames, %d of them answers: %d pushed, allowed are %.0f in %.1f minutes", frames, crowd,
			frames-crowd, allowed, minutes)
	}
}

// TestClientsShowExactlyWhoIsThere is P1, and TestPushesKeepThePaceOfTheRoom P2, over the wire: users join, leave and
// reload at random, while presence runs ten times a second.
func TestClientsShowExactlyWhoIsThere(t *testing.T) { t.Parallel(); playPresence(t, 1) }

// TestPushesKeepThePaceOfTheRoom is P2; see TestClientsShowExactlyWhoIsThere.
func TestPushesKeepThePaceOfTheRoom(t *testing.T) { t.Parallel(); playPresence(t, 2) }

func playPresence(t *testing.T, seed uint64) {
	t.Helper()
	_, client := startStage(t, stagetest.Options{Configure: hurried})
	dice := rand.New(rand.NewPCG(seed, 16))
	var there, all []*watcher
	most, asked, began := 0, 0, time.Now()
	for range 40 {
		if n := dice.IntN(10); len(there) < 2 || n < 5 && len(there) < 8 {
			w := open(t, client, fmt.Sprint("user-", dice.IntN(6)))
			there, all, asked = append(there, w), append(all, w), asked+1
		} else {
			i := dice.IntN(len(there))
			_ = there[i].Close()
			there = slices.Delete(there, i, i+1)
		}
		most = max(most, len(there)+1) // the end of a connection is noticed later
	}
	var users []string
	for _, w := range there {
		users = append(users, w.user)
	}
	slices.Sort(users)
	users = slices.Compact(users)
	until(t, fmt.Sprint("all show ", users), func(context.Context) bool {
		return !slices.ContainsFunc(there, func(w *watcher) bool { return !w.shows(users...) })
	})
	frames := 0
	for _, w := range all {
		frames += w.count()
	}
	if allowed := float64(most) + 50*time.Since(began).Minutes(); float64(frames-asked) > allowed {
		t.Errorf("%d frames were pushed, allowed are %.0f", frames-asked, allowed)
	}
}

// TestClientsOfChatV1GetNoPresence: a client of chat.v1 does not know the frames.
func TestClientsOfChatV1GetNoPresence(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Edit: calledByTest})
	old := connect(t, client, "old")
	alice, bob := open(t, client, "alice"), open(t, client, "bob")
	untilCalled(t, stage, []*watcher{alice, bob}, "alice", "bob", "old")
	if err := old.SendText(within(t), `{"action":"ping"}`); err != nil {
		t.Fatal(err)
	}
	if frame, err := old.Next(within(t)); err != nil || frame != (stageclient.Pong{}) {
		t.Errorf("the first frame of a client of chat.v1 is %#v (%v), want a pong", frame, err)
	}
}

// TestAGoneConnectionLeavesTheRoster: presence finds it and removes its records, as a broadcast does.
func TestAGoneConnectionLeavesTheRoster(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{
		Edit: calledByTest, Faults: localstage.Faults{LoseDisconnects: 1},
	})
	alice, bob := open(t, client, "alice"), open(t, client, "bob")
	untilCalled(t, stage, []*watcher{alice, bob}, "alice", "bob")
	recordsOf(t, client).age(t) // no connection is in its handshake
	_ = bob.Close()
	stage.AwaitConnections(t, 1)
	carol := open(t, client, "carol") // the push about her meets the connection that is gone
	untilCalled(t, stage, []*watcher{alice, carol}, "alice", "carol")
}

func TestPresenceOffDeploysNothing(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"PresenceLimit": "0"}})
	if stage.Function(presenceFunction) != nil {
		t.Error("presence is deployed")
	}
	alice := clienttest.ConnectWithHistory(t, client, "alice")
	here := stageclient.Question{Here: []string{"lobby"}}
	both := stageclient.Question{Here: here.Here, Wants: []stageclient.Want{stageclient.WantAfter("lobby", 0)}}
	for _, q := range []stageclient.Question{both, here} {
		if err := alice.Ask(within(t), q); err != nil {
			t.Fatal(err)
		}
	}
	await[stageclient.Synced](t, alice)
	if err := alice.Ping(within(t)); err != nil {
		t.Fatal(err)
	}
	if frame, err := alice.Next(within(t)); err != nil || frame != (stageclient.Pong{}) {
		t.Errorf("answered %#v (%v), want nothing but the pong", frame, err)
	}
	if items := recordsOf(t, client).of(t, "HERE"); len(items) != 0 {
		t.Errorf("the table has %v", items)
	}
}

// of returns the items of a partition.
func (r records) of(t *testing.T, partition string) []map[string]types.AttributeValue {
	t.Helper()
	out, err := r.api.Query(within(t), &dynamodb.QueryInput{
		TableName: &r.table, KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: partition},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

func TestReadMarkersOfOneUserAgreeOnAllDevices(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	laptop := clienttest.ConnectWithHistory(t, client, "alice")
	_, first := sayAll(t, laptop, 5, 5)
	read := func(conn *stageclient.Conn, seq, want int64) {
		t.Helper()
		moved := stageclient.Question{ID: "r-1", Read: map[string]int64{"lobby": seq}}
		if err := conn.Ask(within(t), moved); err != nil {
			t.Fatal(err)
		}
		if got := await[stageclient.Synced](t, conn); got.Read["lobby"] != want || got.Heads["lobby"] != first+4 {
			t.Errorf("after reading up to %d: %+v, want %d", seq, got, want)
		}
	}
	read(laptop, first+2, first+2)
	phone := clienttest.ConnectWithHistory(t, client, "alice")
	if page := askFor(t, phone, stageclient.WantAfter("lobby", first)); page.Read != first+2 {
		t.Errorf("the phone is told %d, want %d", page.Read, first+2)
	}
	read(phone, first+1, first+2) // what is read stays read
	read(phone, first+1000, first+4)
	if page := askFor(t, laptop, stageclient.WantLast("lobby", 1)); page.Read != first+4 {
		t.Errorf("the laptop is told %d, want %d", page.Read, first+4)
	}
	bob := clienttest.ConnectWithHistory(t, client, "bob")
	if page := askFor(t, bob, stageclient.WantLast("lobby", 1)); page.Read != 0 {
		t.Errorf("bob has read nothing, and is told %d", page.Read)
	}
}
