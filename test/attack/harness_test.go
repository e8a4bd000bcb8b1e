// Package attack_test plays attackers. It uses a stage over the wire only. Every attack has to be refused and leave
// nothing behind: it invokes no function without need, the table stays as it was, and no client receives anything.
//
// With SIGNEDSOCKET_OUTPUTS the attacks run against a stage that is running already, local or deployed. There the tests
// check the answer, the table and the frames of the victim, and count no invocations. An attack that needs more than
// that names the reason.
package attack_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// The functions of the template, by logical id.
const (
	connectFunction    = "ConnectFunction"
	disconnectFunction = "DisconnectFunction"
	sendFunction       = "SendMessageFunction"
	historyFunction    = "HistoryFunction"
	signURLFunction    = "SignUrlFunction"
	reaperFunction     = "ReaperFunction"
	fanoutFunction     = "FanoutFunction"
	presenceFunction   = "PresenceFunction"
	eraseFunction      = "EraseFunction"
	pageFunction       = stagetest.FrontendFunction
)

// functions are the functions that requests reach. A schedule invokes the reaper and presence, with and without an
// attack, and only a large room invokes fanout.
func functions() []string {
	return []string{connectFunction, disconnectFunction, sendFunction, historyFunction, signURLFunction}
}

// profiles are the profiles of all roles whose keys could be stolen.
func profiles() []string {
	return append(functions(), fanoutFunction, presenceFunction, reaperFunction, eraseFunction, pageFunction)
}

// scene is a stage on which a victim listens to a room in which a friend speaks.
type scene struct {
	*stagetest.Stage // nil when the stage is not this test's own
	client           *stageclient.Client
	table            *dynamodb.Client // with the keys of admin
	victim, friend   *stageclient.Conn
	speaker          string         // the friend's user id
	refused          map[string]int // refusals of each function when the attack began
}

// localOnly skips a test when the suite plays a running stage. reason says why, as in "counts invocations".
func localOnly(t *testing.T, reason string) { t.Helper(); clienttest.LocalOnly(t, reason) }

// open starts a stage with the victim and the friend.
func open(t *testing.T, o stagetest.Options) *scene {
	t.Helper()
	s := openEmpty(t, o)
	s.victim = clienttest.Connect(t, s.client, "victim")
	s.friend = clienttest.Connect(t, s.client, "friend")
	signed, _ := clienttest.Sign(t, s.client, "friend")
	s.speaker = signed.User.Sub
	return s
}

// openEmpty returns a stage without connections. It is the running stage, once that is empty, unless the test needs
// options.
func openEmpty(t *testing.T, o stagetest.Options) *scene {
	t.Helper()
	if o.Edit != nil || len(o.Parameters) > 0 {
		localOnly(t, "edits the template or sets parameters")
	}
	if running := clienttest.Running(t); running != nil {
		s := &scene{client: running}
		s.table = s.tableAs(t, "admin")
		s.settled(t, 0)
		return s
	}
	if o.Parameters == nil {
		o.Parameters = map[string]string{"MessagesPerWindow": "1000"} // the friend speaks after every attack
	}
	stage := stagetest.Start(t, o)
	s := &scene{Stage: stage, client: stage.Client(t)}
	s.table = s.tableAs(t, "admin")
	return s
}

// tableAs returns a DynamoDB client with the keys of a profile.
func (s *scene) tableAs(t *testing.T, profile string) *dynamodb.Client {
	t.Helper()
	return clienttest.Table(t, s.client, profile)
}

// items are the items of the table as JSON, by "pk/sk".
type items map[string]string

// items reads the whole table.
func (s *scene) items(t *testing.T) items {
	t.Helper()
	found := items{}
	counters := regexp.MustCompile(`^[whsm]\d+$`) // of what a user sends and asks for: they may grow under an attack
	pages := dynamodb.NewScanPaginator(s.table, &dynamodb.ScanInput{
		TableName: aws.String(s.client.Outputs.TableName), ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(clienttest.Within(t))
		if err != nil {
			t.Fatalf("scan the table: %v", err)
		}
		for _, item := range page.Items {
			if textOf(item["pk"]) == "REAPER" { // the reaper comes each minute, also during an attack
				continue
			}
			maps.DeleteFunc(item, func(name string, _ types.AttributeValue) bool { return counters.MatchString(name) })
			if kind, _, _ := strings.Cut(textOf(item["pk"]), "#"); kind == "SIGN" || kind == "RATE" {
				delete(item, "expiresAt") // is set anew with each count
			}
			text, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			found[textOf(item["pk"])+"/"+textOf(item["sk"])] = string(text)
		}
	}
	return found
}

func textOf(value types.AttributeValue) string {
	text, _ := value.(*types.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return text.Value
}

// keys are the keys of the items that begin with prefix.
func (i items) keys(prefix string) []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(i)) {
		if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
			found = append(found, key)
		}
	}
	return found
}

// connectionID returns the id of a connection that is open, as the table has it.
func (s *scene) connectionID(t *testing.T) string {
	t.Helper()
	records := s.items(t).keys("CONN#")
	if len(records) == 0 {
		t.Fatal("no connection is in the table")
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(records[0], "CONN#"), "/")
	return id
}

// open returns the number of connections that the gateway holds. On a running stage it counts the records in the table.
func (s *scene) open() int {
	if s.Stage == nil {
		return 0
	}
	return len(s.Gateway().Connections())
}

func (s *scene) invocations() map[string]int {
	counts := map[string]int{}
	if s.Stage == nil {
		return counts
	}
	for _, function := range functions() {
		counts[function] = s.Invocations(function)
	}
	return counts
}

// unharmed runs an attack and checks that it left nothing behind. The attack may invoke only the functions in may,
// which refuse it.
func (s *scene) unharmed(t *testing.T, may []string, attack func()) {
	t.Helper()
	calls, before := s.invocations(), s.items(t)
	s.refused = map[string]int{}
	for _, function := range functions() {
		if s.Stage != nil {
			s.refused[function] = len(s.Refusals(function))
		}
	}
	connected := s.open()
	attack()
	if diff := cmp.Diff(before, s.items(t)); diff != "" {
		t.Errorf("the attack has changed the table (-before +after):\n%s", diff)
	}
	after := s.invocations()
	for _, function := range functions() {
		if calls[function] != after[function] && !slices.Contains(may, function) {
			t.Errorf("%s was invoked %d times", function, after[function]-calls[function])
		}
	}
	if now := s.open(); now > connected {
		t.Errorf("%d connections more are open", now-connected)
	}
	s.nothingDelivered(t)
}

// nothingDelivered lets the friend send a new message. It must be the next frame that the victim receives.
func (s *scene) nothingDelivered(t *testing.T) {
	t.Helper()
	if s.victim == nil {
		return
	}
	marker := "marker " + time.Now().Format("05.000000")
	clienttest.Send(t, s.friend, marker, "")
	frame, err := s.victim.Next(clienttest.Within(t))
	if err != nil {
		t.Fatalf("the connection of the victim failed: %v", err)
	}
	if heard, ok := frame.(stageclient.Message); !ok || heard.Text != marker || heard.From.Sub != s.speaker {
		t.Errorf("the victim received %#v, want only the friend's %q", frame, marker)
	}
	clienttest.Await[stageclient.Ack](t, s.friend)
}

// ended returns a connection of mallory, dialed with a URL and its verifier, after the end of its short session: it is
// no recipient any more.
func (s *scene) ended(t *testing.T, dial func(url, verifier string) (*stageclient.Conn, error)) *stageclient.Conn {
	t.Helper()
	short, proof := grant()
	short.SessionEndsAt = short.IssuedAt.Add(2 * time.Second)
	mallory, err := dial(clienttest.Presign(t, s.client, signURLFunction, short).URL, proof.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	for {
		clienttest.Send(t, s.friend, "still here?", "")
		if got := clienttest.Await[stageclient.Ack](t, s.friend); got.Recipients == 2 {
			return mallory
		}
	}
}

// wantReason checks the reason of the refusal that a function has logged since the attack began. It checks nothing on a
// running stage, whose log comes too late.
func (s *scene) wantReason(t *testing.T, function, reason string) {
	t.Helper()
	if s.Stage == nil {
		return
	}
	reasons := s.AwaitRefusals(t, function, s.refused[function]+1)
	if got := reasons[len(reasons)-1]; got != reason {
		t.Errorf("%s has refused with %q, want %q", function, got, reason)
	}
}

// grant is a grant as signurl would make it for the attacker.
func grant(change ...func(*stageclient.Grant)) (stageclient.Grant, stageclient.Proof) {
	proof := stageclient.NewProof()
	g := stageclient.NewGrant(stageclient.User{Sub: "mallory", Name: "Mallory"}, []string{"lobby"}, proof.Challenge,
		time.Now())
	// A slow machine needs more than ten seconds, and connect accepts up to a minute.
	g.ExpiresAt = g.IssuedAt.Add(time.Minute)
	for _, change := range change {
		change(&g)
	}
	return g, proof
}
