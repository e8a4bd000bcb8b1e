package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// rights are what a user may do, as one text for each room: its name, with :r where the user only reads.
type rights struct {
	rooms     []string
	moderator bool
}

func (r rights) equal(other rights) bool {
	return r.moderator == other.moderator && slices.Equal(r.rooms, other.rooms)
}

// askWithRights sends a request for a URL. It returns the answer, and the rights in it.
func askWithRights(
	t *testing.T, c *stageclient.Client, body string, authorize func(*http.Request),
) (*stageclient.Signed, rights) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodPost, c.Outputs.SignURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if authorize != nil {
		authorize(r)
	}
	response, err := c.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		URL       string
		Protocols []string
		User      stageclient.User
		Rooms     []struct {
			Room     string
			ReadOnly bool
		}
		Moderator bool
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: answered %d, %v", body, response.StatusCode, err)
	}
	told := rights{moderator: answer.Moderator}
	for _, one := range answer.Rooms {
		told.rooms = append(told.rooms, one.Room+map[bool]string{true: ":r"}[one.ReadOnly])
	}
	return &stageclient.Signed{URL: answer.URL, Protocols: answer.Protocols, User: answer.User}, told
}

// recordedRights returns the rights in the record of the only connection of a user.
func recordedRights(t *testing.T, c *stageclient.Client, sub string) (found rights) {
	t.Helper()
	for _, item := range itemsOf(t, c) {
		kind, of := item["pk"].(*types.AttributeValueMemberS), item["sub"]
		if owner, ok := of.(*types.AttributeValueMemberS); !ok || owner.Value != sub ||
			!strings.HasPrefix(kind.Value, "CONN#") {
			continue
		}
		if found.rooms != nil {
			t.Fatalf("%s has several connections", sub)
		}
		_, found.moderator = item["md"]
		list, _ := item["rooms"].(*types.AttributeValueMemberL)
		for _, element := range list.Value {
			member := element.(*types.AttributeValueMemberM).Value
			_, readOnly := member["ro"]
			found.rooms = append(found.rooms, member["room"].(*types.AttributeValueMemberS).Value+
				map[bool]string{true: ":r"}[readOnly])
		}
	}
	return found
}

// TestRightsReachTheConnection: in each mode the answer names the rights to all rooms, and the record of the connection
// has those to its own rooms.
func TestRightsReachTheConnection(t *testing.T) {
	t.Parallel()
	withClaims := func(t *testing.T, c *stageclient.Client, claims url.Values) func(*http.Request) {
		t.Helper()
		claims.Set("user", "alice")
		return bearer(devToken(t, c, claims))
	}
	now := time.Now().Unix()
	named := fmt.Sprintf(`"user":{"sub":"alice","sessionStart":%d,"sessionEndsAt":%d`, now-60, now+3600)
	tests := []struct {
		name       string
		parameters map[string]string
		member     string // of the request's body, beside the challenge
		authorize  func(t *testing.T, c *stageclient.Client, body string) func(*http.Request)
		told, kept rights
	}{
		{
			"rooms claim", map[string]string{"RoomsClaim": "rooms"}, `"rooms":["news","lobby"]`,
			func(t *testing.T, c *stageclient.Client, _ string) func(*http.Request) {
				return withClaims(t, c, url.Values{"claim.rooms": {"lobby", "news:r", "vault:x", "ops:r", "ops"}})
			},
			rights{[]string{"lobby", "news:r", "ops:r"}, false}, rights{[]string{"news:r", "lobby"}, false},
		},
		{
			"moderator claim", map[string]string{"ModeratorClaim": "https://example.com/moderator"},
			`"rooms":["lobby"]`,
			func(t *testing.T, c *stageclient.Client, _ string) func(*http.Request) {
				return withClaims(t, c, url.Values{"claim.https://example.com/moderator": {"true"}})
			},
			rights{[]string{"lobby"}, true}, rights{[]string{"lobby"}, true},
		},
		{
			"default rooms", map[string]string{"DefaultRooms": "lobby,news:r"}, `"rooms":[]`,
			func(t *testing.T, c *stageclient.Client, _ string) func(*http.Request) {
				return withClaims(t, c, url.Values{"claim.moderator": {"true"}}) // no claim is configured
			},
			rights{[]string{"lobby", "news:r"}, false}, rights{[]string{"lobby", "news:r"}, false},
		},
		{
			"trusted caller", map[string]string{"AuthMode": "iam", "DefaultRooms": "staff"},
			`"rooms":["news","lobby"],` + named + `,"rooms":["lobby","ops","news:r"],"moderator":true}`,
			func(t *testing.T, c *stageclient.Client, body string) func(*http.Request) {
				return signedAs(t, c, stagetest.FrontendFunction, body)
			},
			rights{[]string{"lobby", "ops", "news:r"}, true}, rights{[]string{"news:r", "lobby"}, true},
		},
		{
			"trusted caller that names no rooms", map[string]string{"AuthMode": "iam", "DefaultRooms": "lobby:r,news"},
			named + `,"moderator":false}`,
			func(t *testing.T, c *stageclient.Client, body string) func(*http.Request) {
				return signedAs(t, c, stagetest.FrontendFunction, body)
			},
			rights{[]string{"lobby:r", "news"}, false}, rights{[]string{"lobby:r", "news"}, false},
		},
		{
			"guest", map[string]string{"AuthMode": "guest", "GuestRooms": "plaza,news:r,plaza", "DefaultRooms": "plaza",
				"ModeratorClaim": "moderator"}, `"rooms":["plaza","news"]`,
			func(t *testing.T, c *stageclient.Client, _ string) func(*http.Request) {
				return withClaims(t, c, url.Values{"claim.moderator": {"true"}})
			},
			rights{[]string{"plaza", "news:r"}, false}, rights{[]string{"plaza", "news:r"}, false},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, client := startStage(t, stagetest.Options{Parameters: test.parameters})
			proof := stageclient.NewProof()
			body := `{` + test.member + `,"challenge":"` + proof.Challenge + `"}`
			signed, told := askWithRights(t, client, body, test.authorize(t, client, body))
			if !told.equal(test.told) {
				t.Errorf("the answer tells the rights %+v, want %+v", told, test.told)
			}
			conn := mustEnter(t, client, signed, proof)
			if kept := recordedRights(t, client, signed.User.Sub); !kept.equal(test.kept) {
				t.Errorf("the record has the rights %+v, want %+v", kept, test.kept)
			}
			wantRights(t, conn, test.kept)
		})
	}
}

// wantRights sends a message to each room of a connection: the user writes in some, and only reads in the others.
func wantRights(t *testing.T, conn *stageclient.Conn, want rights) {
	t.Helper()
	for i, right := range want.rooms {
		room, readOnly := strings.CutSuffix(right, ":r")
		id := fmt.Sprint(i)
		if err := conn.Send(within(t), stageclient.Outgoing{Room: room, Text: "hello", ID: id}); err != nil {
			t.Fatal(err)
		}
		if !readOnly {
			if ack := await[stageclient.Ack](t, conn); ack.ClientID != id {
				t.Errorf("a message to %s: %+v", room, ack)
			}
		} else if refused := await[stageclient.Error](t, conn); refused.Code != "read_only" || refused.ClientID != id {
			t.Errorf("a message to %s, a room to read: %+v", room, refused)
		}
	}
}

// TestANewerConnectionHasTheRightsOfItsOwnToken: a user who is no moderator any more has a new token.
func TestANewerConnectionHasTheRightsOfItsOwnToken(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{
		"RoomsClaim": "rooms", "ModeratorClaim": "moderator", "ConnectionsPerUser": "1",
	}})
	for _, step := range []struct {
		claims url.Values
		want   rights
	}{
		{url.Values{"claim.rooms": {"lobby", "news"}, "claim.moderator": {"true"}},
			rights{[]string{"lobby", "news"}, true}},
		{url.Values{"claim.rooms": {"lobby:r", "news"}}, rights{[]string{"lobby:r", "news"}, false}},
		{url.Values{"claim.rooms": {"lobby", "news:r"}, "claim.moderator": {"true"}},
			rights{[]string{"lobby", "news:r"}, true}},
	} {
		step.claims.Set("user", "alice")
		proof := stageclient.NewProof()
		body := `{"rooms":["lobby","news"],"ci":"AAECAwQFBgcICQoLDA0ODw","challenge":"` + proof.Challenge + `"}`
		signed, _ := askWithRights(t, client, body, bearer(devToken(t, client, step.claims)))
		mustEnter(t, client, signed, proof)
		if kept := recordedRights(t, client, "alice"); !kept.equal(step.want) {
			t.Errorf("the record has the rights %+v, want %+v", kept, step.want)
		}
	}
}
