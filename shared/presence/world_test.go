package presence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/dynamo/dynamotest"
	"signedsocket/shared/message"
)

func TestMain(m *testing.M) { dynamotest.Main(m) }

func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	// One seed shows that the model fits moto, too.
	dynamotest.JudgeByMoto(t, "TestMembersSeeWhoIsThereAndAreNotFlooded/seed_([1-9]|1[0-5])")
}

// epoch is when the tests begin.
var epoch = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const lobby = "lobby"

// shown is what a client shows of a room.
type shown struct {
	N     int64            `json:"n"`
	Count int              `json:"count"`
	Users []message.Sender `json:"users"`
}

// client is a connection of a user.
type client struct {
	connections.Connection
	shown *shown // nil before the first frame
}

// push is a push that was posted.
type push struct {
	at    time.Time
	posts int
}

// world is a room with its table, its clients and a clock. It is the Poster, and counts the reads of the room.
type world struct {
	t       *testing.T
	api     *dynamodb.Client
	table   string
	store   *connections.Store
	rooms   *Rooms
	time    time.Time
	clients map[string]*client
	opened  int
	reads   int
	pushes  []push
	misses  func(id string) bool                                    // whether a post to a client is lost
	during  func()                                                  // called once, after the next read of the room
	members func(members []connections.Member) []connections.Member // replaces what is read, if set
}

func newWorld(t *testing.T, limit int) *world {
	t.Helper()
	api := dynamotest.Client(http.DefaultTransport)
	w := &world{
		t: t, api: api, table: dynamotest.CreateTable(t, api, "pk", "sk"), time: epoch,
		clients: make(map[string]*client), misses: func(string) bool { return false },
	}
	tables := connections.Tables{Connections: w.table, Bans: dynamotest.CreateTable(t, api, "id")}
	w.store = connections.New(api, tables, connections.Limits{ConnectionsPerUser: 100})
	now := func() time.Time { return w.time }
	w.rooms = &Rooms{API: api, Table: w.table, Members: w, Poster: w, Limit: limit, Now: now}
	return w
}

// NamedMembers implements Members.
func (w *world) NamedMembers(
	ctx context.Context, room string, now time.Time, consistent bool,
) iter.Seq2[[]connections.Member, error] {
	w.reads++
	return func(yield func([]connections.Member, error) bool) {
		for page, err := range w.store.NamedMembers(ctx, room, now, consistent) {
			if w.members != nil {
				page = w.members(page)
			}
			if !yield(page, err) {
				return
			}
		}
		if during := w.during; during != nil {
			w.during = nil
			during()
		}
	}
}

// Deliver implements Poster.
func (w *world) Deliver(
	_ context.Context, _ broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
) (result broadcast.Result, err error) {
	for page := range pages {
		for _, m := range page {
			result.Recipients++
			to, live := w.clients[m.ConnectionID]
			switch {
			case w.misses(m.ConnectionID):
				result.Failed++
			case !live:
				result.Gone++
			default:
				result.Delivered++
				w.take(to, frame)
			}
		}
	}
	w.pushes = append(w.pushes, push{w.time, result.Recipients})
	return result, nil
}

// take shows a frame, unless it is older than what the client shows.
func (w *world) take(to *client, frame []byte) {
	w.t.Helper()
	var got shown
	isPresence := strings.HasPrefix(string(frame), `{"type":"presence","room":"lobby"`)
	if err := json.Unmarshal(frame, &got); err != nil || !isPresence {
		w.t.Errorf("the client got %s", frame)
	}
	if to.Protocol < 2 {
		w.t.Errorf("a client of chat.v1 got %s", frame)
	}
	if to.shown == nil || got.N >= to.shown.N {
		to.shown = &got
	}
}

// join opens a connection of a user. The name is the id in capital letters.
func (w *world) join(user string, protocol int) *client {
	w.t.Helper()
	w.opened++
	id := fmt.Sprintf("%s-%d=", user, w.opened)
	a := connections.Admission{
		ConnectionID: id, ConnectedAt: w.time, Subject: user, Name: strings.ToUpper(user), Rooms: []string{lobby},
		SessionEndsAt: w.time.Add(24 * time.Hour), AuthenticatedAt: w.time, Ticket: id, TicketExpiresAt: w.time,
		Protocol: protocol,
	}
	if _, err := w.store.Connect(w.t.Context(), a, w.time); err != nil {
		w.t.Fatal(err)
	}
	c := &client{Connection: connections.Connection{ID: id, Subject: user, Name: a.Name, Protocol: protocol}}
	w.clients[id] = c
	return c
}

// open opens a connection that asks at once, as clients of chat.v2 do.
func (w *world) open(user string) *client {
	w.t.Helper()
	c := w.join(user, 2)
	w.ask(c)
	return c
}

func (w *world) leave(c *client) {
	w.t.Helper()
	delete(w.clients, c.ID)
	if _, err := w.store.Remove(w.t.Context(), c.ID, time.Time{}); err != nil {
		w.t.Fatal(err)
	}
}

// answer returns the answer to a client that asks.
func (w *world) answer(c *client) Answer {
	w.t.Helper()
	from := Asker{ConnectionID: c.ID, User: message.Sender{Subject: c.Subject, Name: c.Name}}
	answer, err := w.rooms.Ask(w.t.Context(), lobby, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// ask has a client ask, take the answer, and others told.
func (w *world) ask(c *client) {
	w.t.Helper()
	answer := w.answer(c)
	if answer.Frame != nil {
		w.take(c, answer.Frame)
	}
	w.post(answer.Push)
}

func (w *world) post(p *Push) {
	w.t.Helper()
	if p == nil {
		return
	}
	if _, err := w.rooms.Post(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
}

// look has a tick look at the room, and returns its push.
func (w *world) look() *Push {
	w.t.Helper()
	watched, err := w.rooms.Watched(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, room := range watched {
		push, err := w.rooms.Tick(w.t.Context(), room)
		if err != nil {
			w.t.Fatal(err)
		}
		if push != nil {
			return push
		}
	}
	return nil
}

func (w *world) tick() {
	w.t.Helper()
	w.post(w.look())
}

func (w *world) pass(d time.Duration) { w.time = w.time.Add(d) }

// users returns the users with live connections, in order.
func (w *world) users() []message.Sender {
	users := []message.Sender{}
	for _, c := range w.clients {
		users = append(users, message.Sender{Subject: c.Subject, Name: c.Name})
	}
	slices.SortFunc(users, byID)
	return slices.Compact(users)
}

// shows checks what a client shows: users by id, or only a number if there are none.
func (w *world) shows(c *client, count int, users ...string) {
	w.t.Helper()
	if c.shown == nil {
		w.t.Errorf("%s shows nothing, want %d: %v", c.ID, count, users)
		return
	}
	var ids []string
	for _, u := range c.shown.Users {
		if ids = append(ids, u.Subject); u.Name != strings.ToUpper(u.Subject) {
			w.t.Errorf("%s is named %s", u.Subject, u.Name)
		}
	}
	if diff := cmp.Diff(users, ids); diff != "" || c.shown.Count != count {
		w.t.Errorf("%s shows %d (-want +got):\n%s", c.ID, c.shown.Count, diff)
	}
}

// pushed checks how many posts each push since the last call had.
func (w *world) pushed(posts ...int) {
	w.t.Helper()
	var got []int
	for _, p := range w.pushes {
		got = append(got, p.posts)
	}
	if !slices.Equal(got, posts) {
		w.t.Errorf("pushes had %v posts, want %v", got, posts)
	}
	w.pushes = nil
}

// item returns the item of the room.
func (w *world) item() dynamo.Item {
	w.t.Helper()
	out, err := w.api.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: &w.table, Key: key(lobby)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item
}

// failing is an API that fails.
type failing struct{ API }

var errBroken = errors.New("no route to table")

func (failing) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return nil, errBroken
}

// overtaken is a Poster after whose posts something happens.
type overtaken struct {
	*world
	then func()
}

// Deliver implements Poster.
func (o overtaken) Deliver(
	ctx context.Context, origin broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
) (broadcast.Result, error) {
	result, err := o.world.Deliver(ctx, origin, frame, pages)
	o.then()
	return result, err
}
