package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// startGuests starts a stage in mode guest.
func startGuests(t *testing.T, parameters map[string]string) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	all := map[string]string{"AuthMode": "guest", "GuestRooms": "lobby,plaza"}
	for name, value := range parameters {
		all[name] = value
	}
	return startStage(t, stagetest.Options{Parameters: all})
}

// guest asks for a URL without a token, and connects.
func guest(t *testing.T, c *stageclient.Client, rooms ...string) (*stageclient.Conn, *stageclient.Signed) {
	t.Helper()
	proof := stageclient.NewProof()
	signed, err := c.SignURL(within(t), "", rooms, proof.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	return mustEnter(t, c, signed, proof), signed
}

func TestGuestsChatUnderDifferentNames(t *testing.T) {
	t.Parallel()
	_, client := startGuests(t, nil)
	one, first := guest(t, client)
	two, second := guest(t, client, "lobby")
	for _, signed := range []*stageclient.Signed{first, second} {
		if !regexp.MustCompile(`^guest-[a-z2-7]{26}$`).MatchString(signed.User.Sub) ||
			!regexp.MustCompile(`^guest-[a-z2-7]{6}$`).MatchString(signed.User.Name) {
			t.Errorf("a guest is %+v", signed.User)
		}
	}
	if first.User.Sub == second.User.Sub || first.User.Name == second.User.Name {
		t.Errorf("two guests are one: %+v, %+v", first.User, second.User)
	}
	send(t, one, "anybody here?", "1")
	if got := await[stageclient.Message](t, two); got.From != first.User || got.Room != "lobby" {
		t.Errorf("the second guest received %+v", got)
	}
}

func TestARequestCannotMakeAGuestAnotherUser(t *testing.T) {
	t.Parallel()
	_, client := startGuests(t, nil)
	body := namedBody(t, func(map[string]any) {})
	for who, authorize := range map[string]func(*http.Request){"unsigned": nil,
		"signed": signedAs(t, client, "admin", body)} {
		if status, answer := post(t, client, body, authorize); status != http.StatusBadRequest ||
			answer.Error != "bad_request" || answer.URL != "" {
			t.Errorf("%s: naming a user was answered %d %+v, want 400 bad_request", who, status, answer)
		}
	}
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
	if err != nil || signed.User.Sub == "alice" {
		t.Errorf("with alice's token: %+v, %v; want a guest", signed, err)
	}
}

func TestGuestsEnterGuestRoomsOnly(t *testing.T) {
	t.Parallel()
	_, client := startGuests(t, map[string]string{"DefaultRooms": "staff"})
	_, err := client.SignURL(within(t), "", []string{"staff"}, stageclient.NewProof().Challenge)
	wantSignError(t, err, http.StatusForbidden, "room_not_allowed")
	_, err = client.SignURL(within(t), "", []string{"lobby", "staff"}, stageclient.NewProof().Challenge)
	wantSignError(t, err, http.StatusForbidden, "room_not_allowed")
	conn, _ := guest(t, client)
	if err := conn.Send(within(t), stageclient.Outgoing{Text: "psst", Room: "staff", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if got := await[stageclient.Error](t, conn); got.Code != "room_not_allowed" {
		t.Errorf("speaking in a room of the staff was answered %+v", got)
	}
}

// TestTooManyGuestsAreRefusedAndNoneIsEvicted: a page that opens connection after connection cannot push other guests
// out.
func TestTooManyGuestsAreRefusedAndNoneIsEvicted(t *testing.T) {
	t.Parallel()
	stage, client := startGuests(t, map[string]string{"GuestConnections": "2", "ConnectionsPerUser": "1"})
	early, proof := earlyGuest(t, client) // gets a URL while there is still room
	one, _ := guest(t, client)
	two, _ := guest(t, client)

	_, err := client.SignURL(within(t), "", nil, stageclient.NewProof().Challenge)
	if refused := wantSignError(t, err, http.StatusTooManyRequests,
		"too_many_connections"); refused.RetryAfter != 30*time.Second {
		t.Errorf("retry after %s, want 30 s", refused.RetryAfter)
	}
	conn, err := enter(t, client, early, proof)
	wantRefused(t, conn, err, http.StatusForbidden)
	if reasons := stage.AwaitRefusals(t, "ConnectFunction", 1); len(reasons) != 1 || reasons[0] != "guests_full" {
		t.Errorf("connect has logged %v, want guests_full", reasons)
	}
	send(t, one, "still here", "1")
	if got := await[stageclient.Message](t, two); got.Text != "still here" {
		t.Errorf("received %+v", got)
	}

	_ = one.Close()
	recordsOf(t, client).forgetOpenings(t)
	for deadline := within(t); ; { // until $disconnect has come
		_, err = client.SignURL(deadline, "", nil, stageclient.NewProof().Challenge)
		refused, ok := errors.AsType[*stageclient.SignError](err)
		if !ok || refused.Status != http.StatusTooManyRequests { // the throttle of the route answers so, too
			break
		}
	}
	if err != nil {
		t.Fatalf("after a guest has left: %v", err)
	}
	guest(t, client)
}

// forgetOpenings removes the count of openings from the table. Guests may open a limited number of connections a
// minute.
func (r records) forgetOpenings(t *testing.T) {
	t.Helper()
	minute := time.Now().Unix() / 60
	_, err := r.api.UpdateItem(within(t), &dynamodb.UpdateItemInput{
		TableName: &r.table, UpdateExpression: aws.String("REMOVE #now, #before"),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "USER#guest-pool"},
			"sk": &types.AttributeValueMemberS{Value: "USER"},
		},
		ExpressionAttributeNames: map[string]string{"#now": fmt.Sprint("o", minute),
			"#before": fmt.Sprint("o", minute-1)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func earlyGuest(t *testing.T, c *stageclient.Client) (*stageclient.Signed, stageclient.Proof) {
	t.Helper()
	proof := stageclient.NewProof()
	signed, err := c.SignURL(within(t), "", nil, proof.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	return signed, proof
}

// TestASignedInUserDoesNotCountAsAGuest: a user with a guest's name does not share the limit of the guests.
func TestASignedInUserDoesNotCountAsAGuest(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"GuestConnections": "1"}})
	for _, user := range []string{"guest-pool", "guest-alice"} {
		signed, proof := sign(t, client, user)
		if !regexp.MustCompile(`^h--[A-Za-z0-9_-]{32}$`).MatchString(signed.User.Sub) {
			t.Errorf("%s became %s, want a hash", user, signed.User.Sub)
		}
		mustEnter(t, client, signed, proof)
	}
}
