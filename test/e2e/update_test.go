package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// oldTable is a table that the version before the table of bans wrote at oldTableWritten.
const (
	oldTable        = "shared/connections/testdata/before-bans.json"
	oldTableWritten = 1795327200
)

// loadOldTable writes the old items into the table of a stage, as if they were some seconds old.
func loadOldTable(t *testing.T, r records) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(stagetest.Root(), oldTable))
	if err != nil {
		t.Fatal(err)
	}
	shift := (time.Now().Unix()-oldTableWritten)/60*60 - 60 // whole minutes: keys hold those
	moved := regexp.MustCompile(`"(1795\d{6})((?:\d{3})?)((?:\.\d+)?)"`).ReplaceAllStringFunc(string(data),
		func(found string) string {
			parts := regexp.MustCompile(`^"(\d{10})((?:\d{3})?)(?:\.(\d{10})(\d*))?"$`).FindStringSubmatch(found)
			later := func(text string) string {
				seconds, _ := strconv.ParseInt(text, 10, 64)
				return strconv.FormatInt(seconds+shift, 10)
			}
			text := later(parts[1]) + parts[2]
			if parts[3] != "" { // an entry: the end of the session, and when it began
				text += "." + later(parts[3]) + parts[4]
			}
			return strconv.Quote(text)
		})
	minute := int64(oldTableWritten / 60)
	moved = regexp.MustCompile(`SWEEP#(\d+)#`).ReplaceAllStringFunc(moved, func(found string) string {
		n, _ := strconv.ParseInt(strings.Trim(found, "SWEP#"), 10, 64)
		return fmt.Sprintf("SWEEP#%d#", n-minute+minute+shift/60)
	})
	var items []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(moved), &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		plain := make(map[string]types.AttributeValue)
		for name, value := range item {
			plain[name] = attributeOf(t, value)
		}
		if _, err := r.api.PutItem(within(t), &dynamodb.PutItemInput{TableName: &r.table, Item: plain}); err != nil {
			t.Fatal(err)
		}
	}
}

// attributeOf reads a value as DynamoDB writes it.
func attributeOf(t *testing.T, data []byte) types.AttributeValue {
	t.Helper()
	var value struct {
		S, N *string
		L    []json.RawMessage
		M    map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	switch {
	case value.S != nil:
		return &types.AttributeValueMemberS{Value: *value.S}
	case value.N != nil:
		return &types.AttributeValueMemberN{Value: *value.N}
	case value.L != nil:
		list := &types.AttributeValueMemberL{}
		for _, element := range value.L {
			list.Value = append(list.Value, attributeOf(t, element))
		}
		return list
	}
	members := &types.AttributeValueMemberM{Value: make(map[string]types.AttributeValue)}
	for name, element := range value.M {
		members.Value[name] = attributeOf(t, element)
	}
	return members
}

// oldParameters are the parameters of a grant that a connect of the version before rights takes. It refuses a grant
// with any other one.
func oldParameters() []string {
	return []string{"v", "sub", "nm", "rm", "iat", "exp", "sx", "ait", "jti", "cc", "ci", "si"}
}

// TestAnUpdateRefusesNoOrdinaryUser: while a stack is updated, a new signurl signs for an old connect, and an old
// signurl for a new connect. Only the grants of moderators and of rooms to read need both to be new.
func TestAnUpdateRefusesNoOrdinaryUser(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{
		"RoomsClaim": "rooms", "ModeratorClaim": "moderator",
	}})
	// A new signurl: the parameters of its URLs.
	for _, test := range []struct {
		claims url.Values
		more   []string // parameters that an old connect refuses
	}{
		{url.Values{"claim.rooms": {"lobby", "news"}}, nil},
		{url.Values{"claim.rooms": {"lobby", "news", "ops:r"}, "claim.moderator": {"false"}}, nil},
		{url.Values{"claim.rooms": {"lobby", "news:r"}}, []string{"ro"}},
		{url.Values{"claim.rooms": {"lobby", "news"}, "claim.moderator": {"true"}}, []string{"md"}},
	} {
		test.claims.Set("user", "alice")
		body := `{"rooms":["lobby","news"],"challenge":"` + stageclient.NewProof().Challenge + `"}`
		signed, _ := askWithRights(t, client, body, bearer(devToken(t, client, test.claims)))
		address, err := url.Parse(signed.URL)
		if err != nil {
			t.Fatal(err)
		}
		var more []string
		for name := range address.Query() {
			if !strings.HasPrefix(name, "X-Amz-") && !slices.Contains(oldParameters(), name) {
				more = append(more, name)
			}
		}
		if !slices.Equal(more, test.more) {
			t.Errorf("%v: the URL has %q beside the old parameters, want %q", test.claims, more, test.more)
		}
	}
	// An old signurl: its grants give the rights that they gave.
	grant := grantFor("bob")
	for name := range grant.Values() {
		if !slices.Contains(oldParameters(), name) {
			t.Errorf("the grant of this test has the new parameter %s", name)
		}
	}
	conn, err := dialWith(t, client, grant, nil)
	if err != nil {
		t.Fatal(err, stage.Refusals("ConnectFunction"))
	}
	if kept := recordedRights(t, client, "bob"); !kept.equal(rights{grant.Rooms, false}) {
		t.Errorf("the record has the rights %+v", kept)
	}
	send(t, conn, "during the update", "1")
	await[stageclient.Ack](t, conn)
}

// TestAnUpdateReadsTheOldTable: old bans and revocations hold. Old connections are counted, evicted and closed.
func TestAnUpdateReadsTheOldTable(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "3"}})
	table := recordsOf(t, client)
	loadOldTable(t, table)
	if n, listed := table.live(t, "alice"); n != "3" || listed != 3 {
		t.Fatalf("alice has %s connections, %d listed: the old table was not loaded", n, listed)
	}
	// signurl and connect respect an old ban and an old revocation.
	token, err := client.Token(within(t), "banned")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
	wantSignError(t, err, http.StatusUnauthorized, "revoked")
	for user, authenticated := range map[string]time.Time{"banned": time.Now().Add(time.Minute),
		"revoked": time.Now().Add(-10 * time.Minute)} {
		grant := grantFor(user)
		grant.AuthenticatedAt = authenticated
		conn, err := dialWith(t, client, grant, nil)
		wantRefused(t, conn, err, http.StatusForbidden)
	}
	// A revocation of one guest closes the old connection of that guest only.
	revoke(t, client, "guest-aaaaaaaaaaaaaaaaaaaaaaaaaa", 1)
	// Alice's next connection evicts an old one.
	alice := mustDialWith(t, client, "alice", nil)
	if n, listed := table.live(t, "alice"); n != "3" || listed != 3 {
		t.Errorf("alice has %s connections, %d listed, want three", n, listed)
	}
	send(t, alice, "after the update", "1")
	await[stageclient.Ack](t, alice)
	// The sweep closes the old connections that are due. Their sockets ended long ago.
	answer := mustInvokeReaper(t, client, scheduledEvent)
	if answer["due"] == 0.0 || answer["failed"] != 0.0 {
		t.Errorf("the first sweep found %v", answer)
	}
	mustInvokeReaper(t, client, `{"revoke":{"user":"banned","bannedUntil":0}}`)
	connectAnew(t, client, "banned")
}
