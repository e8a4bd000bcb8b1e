package e2e_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// getJSON fetches a document.
func getJSON(t *testing.T, address string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

// publicModulus returns the modulus of the issuer's key, which is public.
func publicModulus(t *testing.T, c *stageclient.Client) (base64url, keyID string) {
	t.Helper()
	issuer, err := url.Parse(c.Outputs.Local.DevTokenURL)
	if err != nil {
		t.Fatal(err)
	}
	var discovery struct {
		Keys string `json:"jwks_uri"`
	}
	getJSON(t, "http://"+issuer.Host+"/.well-known/openid-configuration", &discovery)
	var set struct {
		Keys []struct{ N, Kid string }
	}
	getJSON(t, discovery.Keys, &set)
	if len(set.Keys) == 0 || set.Keys[0].N == "" {
		t.Fatal("the issuer shows no key")
	}
	return set.Keys[0].N, set.Keys[0].Kid
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hs256 signs with a secret, rs256 with a key that is not the issuer's.
func hs256(input string, secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(input)) // hash.Hash never returns an error
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func rs256(t *testing.T, input string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestForgedTokensNeverReachSignurl changes a good token in ways that have fooled verifiers.
func TestForgedTokensNeverReachSignurl(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{})
	good, err := client.Token(within(t), "mallory")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	alices := encoded(strings.ReplaceAll(string(claims), "mallory", "alice"))
	modulus, keyID := publicModulus(t, client)
	modulusBytes, err := base64.RawURLEncoding.DecodeString(modulus)
	if err != nil {
		t.Fatal(err)
	}
	header := func(algorithm string) string {
		return encoded(`{"alg":"` + algorithm + `","kid":"` + keyID + `","typ":"at+jwt"}`)
	}
	expired := devToken(t, client, url.Values{"user": {"alice"}, "expires_in": {"-1"}})
	tokens := map[string]string{
		"alg none":                          header("none") + "." + alices + ".",
		"alg None with the old signature":   header("None") + "." + alices + "." + parts[2],
		"no alg":                            encoded(`{"kid":"`+keyID+`"}`) + "." + alices + ".",
		"HS256 with the public key":         hs256(header("HS256")+"."+alices, modulusBytes),
		"HS256 with the public key as text": hs256(header("HS256")+"."+alices, []byte(modulus)),
		"HS256 with nothing":                hs256(header("HS256")+"."+alices, nil),
		"another key under the same id":     rs256(t, header("RS256")+"."+alices),
		"a key of its own in the header": rs256(t,
			encoded(`{"alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"`+modulus+`"}}`)+"."+alices),
		"other claims, old signature": parts[0] + "." + alices + "." + parts[2],
		"expired":                     expired,
		"two tokens":                  good + "," + good,
	}
	for name, token := range tokens {
		status, answer := post(t, client, `{}`, bearer(token))
		if status != http.StatusUnauthorized || answer.Message != "Unauthorized" || answer.URL != "" {
			t.Errorf("%s: answered %d %+v, want 401 Unauthorized", name, status, answer)
		}
	}
	if n := stage.Invocations(signFunction); n != 0 {
		t.Errorf("signurl was invoked %d times", n)
	}
}

// devToken gets a token of the development issuer with claims of the test's choice.
func devToken(t *testing.T, c *stageclient.Client, parameters url.Values) string {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	getJSON(t, c.Outputs.Local.DevTokenURL+"?"+parameters.Encode(), &answer)
	if answer.Token == "" {
		t.Fatal("the development issuer gave no token")
	}
	return answer.Token
}

func TestRoomsAndNameComeFromTheToken(t *testing.T) {
	t.Parallel()
	_, client := startStage(t,
		stagetest.Options{Parameters: map[string]string{"RoomsClaim": "groups", "NameClaim": "nick"}})
	tests := []struct {
		name   string
		groups []string
		ask    []string
		ok     bool
	}{
		{"a list", []string{"team-1", "lobby"}, []string{"team-1", "lobby"}, true},
		{"one text", []string{"team-1"}, []string{"team-1"}, true},
		{"groups beside a room", []string{"Admins", "friends of team-2", "team-1"}, []string{"team-1"}, true},
		{"a word of a group's name", []string{"friends of team-1"}, []string{"team-1"}, false},
		{"a word of one of two groups' names", []string{"friends of team-1", "lobby"}, []string{"team-1"}, false},
		{"a part of a group's name", []string{"sales,team-1", "lobby"}, []string{"team-1"}, false},
		{"a text like a list", []string{"[team-1]"}, []string{"team-1"}, false},
		{"a room with an unknown flag", []string{"team-1:x", "lobby"}, []string{"team-1"}, false},
		{"a room that is not in it", []string{"team-1", "lobby"}, []string{"team-2"}, false},
		{"the default room, which is not in it", []string{"team-1"}, nil, false},
		{"no claim", nil, nil, false},
	}
	for _, test := range tests {
		token := devToken(t, client, url.Values{"user": {"alice"}, "claim.nick": {"Ally"}, "claim.groups": test.groups})
		signed, err := client.SignURL(within(t), token, test.ask, stageclient.NewProof().Challenge)
		switch {
		case !test.ok:
			wantSignError(t, err, http.StatusForbidden, "room_not_allowed")
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		default:
			address, err := url.Parse(signed.URL)
			if err != nil || !slices.Equal(strings.Split(address.Query().Get("rm"), "."), test.ask) ||
				signed.User.Name != "Ally" {
				t.Errorf("%s: signed for %+v in %s", test.name, signed.User, address.Query().Get("rm"))
			}
		}
	}
}

// mark writes a number into a user's item, as an operator's tool does.
func mark(t *testing.T, c *stageclient.Client, userID, attribute string, value string) {
	t.Helper()
	_, err := recordsOf(t, c).api.UpdateItem(within(t), &dynamodb.UpdateItemInput{
		TableName: aws.String(c.Outputs.TableName), UpdateExpression: aws.String("SET #a = :v"),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "USER#" + userID},
			"sk": &types.AttributeValueMemberS{Value: "USER"},
		},
		ExpressionAttributeNames:  map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRevokedAndBannedUsersGetNoURL(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	for user, mode := range map[string]string{"alice": "notBefore", "bob": "bannedUntil"} {
		token, err := client.Token(within(t), user)
		if err != nil {
			t.Fatal(err)
		}
		mark(t, client, user, mode, seconds(time.Now().Add(time.Minute)))
		_, err = client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
		wantSignError(t, err, http.StatusUnauthorized, "revoked")
	}
	carol, proof := sign(t, client, "carol") // for whom nothing changed
	mustEnter(t, client, carol, proof)
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// TestAUserAtTheLimitOfConnectionsIsNotRefused: a signed-in user's oldest connection is evicted instead.
func TestAUserAtTheLimitOfConnectionsIsNotRefused(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "1"}})
	for range 3 {
		signed, proof := sign(t, client, "alice")
		mustEnter(t, client, signed, proof)
	}
	if reasons := stage.Refusals(signFunction); len(reasons) != 0 {
		t.Errorf("signurl has refused: %v", reasons)
	}
}
