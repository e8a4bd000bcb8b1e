package attack_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// devToken gets an access token of the development issuer with claims of the attack's choice.
func (s *scene) devToken(t *testing.T, parameters url.Values) string {
	t.Helper()
	return s.tokenIn(t, http.MethodGet, s.client.Outputs.Local.DevTokenURL+"?"+parameters.Encode(), nil, "access_token")
}

// tokenIn returns the member of an answer of the issuer.
func (s *scene) tokenIn(t *testing.T, method, address string, form url.Values, member string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(clienttest.Within(t), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	token, ok := answer[member].(string)
	if !ok {
		t.Fatalf("the issuer answered %d %v", response.StatusCode, answer)
	}
	return token
}

// idToken signs a user in as the page does, and returns the ID token. The page shows that token to no other site.
func (s *scene) idToken(t *testing.T, user, nonce string) string {
	t.Helper()
	at, err := url.Parse(s.client.Outputs.Local.DevTokenURL)
	if err != nil {
		t.Fatal(err)
	}
	issuer := at.Scheme + "://" + at.Host
	back := s.client.Outputs.FrontendURL + "/callback"
	verifier := strings.Repeat("v", 43)
	digest := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id": {"signedsocket"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"},
		"nonce":          {nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(digest[:])}, "code_challenge_method": {"S256"},
	}
	r, err := http.NewRequestWithContext(clienttest.Within(t), http.MethodPost, issuer+"/authorize?"+query.Encode(),
		strings.NewReader(url.Values{"user": {user}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	to, err := response.Location()
	if err != nil {
		t.Fatalf("the issuer answered %d: %v", response.StatusCode, err)
	}
	return s.tokenIn(t, http.MethodPost, issuer+"/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"signedsocket"}, "redirect_uri": {back},
		"code": {to.Query().Get("code")}, "code_verifier": {verifier},
	}, "id_token")
}

func wish() string { return `{"challenge":"` + strings.Repeat("A", 43) + `"}` }

// TestOtherTokensGetNoURL: the provider signs ID tokens, logout tokens and tokens for other clients with the same keys.
func TestOtherTokensGetNoURL(t *testing.T) {
	t.Parallel()
	localOnly(t, "makes tokens of other kinds")
	s := open(t, stagetest.Options{})
	tokens := map[string]string{"an ID token": s.idToken(t, "victim", "n")}
	for name, claims := range map[string]url.Values{
		"a nonce":                  {"claim.nonce": {"n"}},
		"the hash of an access":    {"claim.at_hash": {"x"}},
		"an event":                 {"claim.events": {"http://schemas.openid.net/event/backchannel-logout"}},
		"another use":              {"claim.token_use": {"id"}},
		"another type":             {"claim.typ": {"ID"}},
		"another client":           {"claim.client_id": {"intranet"}},
		"another authorized party": {"claim.azp": {"intranet"}},
		"two clients":              {"claim.azp": {"signedsocket"}, "claim.client_id": {"intranet"}},
		"clients in a list":        {"claim.client_id": {"signedsocket", "intranet"}},
	} {
		claims.Set("user", "victim")
		tokens[name] = s.devToken(t, claims)
	}
	for name, token := range tokens {
		s.unharmed(t, []string{signURLFunction}, func() {
			if status, body := s.post(t, wish(), bearer(token)); status != http.StatusForbidden ||
				strings.Contains(body, "wss") {
				t.Errorf("%s: answered %d %s, want 403", name, status, body)
			}
			s.wantReason(t, signURLFunction, "caller_not_trusted")
		})
	}
}

// TestTwoTokensAreRefused: the function must not read a different token than the gateway verified.
func TestTwoTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	mine := clienttest.Token(t, s.client, "mallory")
	parts := strings.Split(mine, ".")
	claims := strings.ReplaceAll(decode(t, parts[1]), "mallory", "victim")
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + parts[2]
	for name, header := range map[string]http.Header{
		"mine first":           {"Authorization": {"Bearer " + mine, "Bearer " + forged}},
		"mine last":            {"Authorization": {"Bearer " + forged, "Bearer " + mine}},
		"mine twice":           {"Authorization": {"Bearer " + mine, "Bearer " + mine}},
		"in one header":        {"Authorization": {"Bearer " + mine + ", Bearer " + forged}},
		"behind a space":       {"Authorization": {"Bearer " + mine + " " + forged}},
		"in front of a scheme": {"Authorization": {"Bearer Bearer " + mine}},
	} {
		s.unharmed(t, nil, func() {
			if status, body := s.post(t, wish(), header); status == http.StatusOK || strings.Contains(body, "wss") {
				t.Errorf("%s: answered %d %s", name, status, body)
			}
		})
	}
}

// TestNoPartOfAGroupsNameOpensARoom: users choose the names of their groups at many providers.
func TestNoPartOfAGroupsNameOpensARoom(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{Parameters: map[string]string{"RoomsClaim": "groups"}})
	for _, groups := range [][]string{
		{"friends of vault"}, {"sales,vault"}, {"sales, vault", "lobby"}, {"[vault]"}, {"x vault y", "lobby"},
		{`["vault"]`}, {"vault:x", "lobby"}, {"vault:", "lobby"}, {":vault", "lobby"}, {"vault\n"},
		{"Vault", "lobby"}, {"vault\u00a0", "lobby"},
	} {
		token := s.devToken(t, url.Values{"user": {"mallory"}, "claim.groups": groups})
		body := `{"rooms":["vault"],` + wish()[1:]
		if status, answer := s.post(t, body, bearer(token)); status != http.StatusForbidden ||
			strings.Contains(answer, "wss") {
			t.Errorf("%q: answered %d %s, want 403", groups, status, answer)
		}
	}
}

// TestAChosenSubMakesNoOtherUser: mallory's provider lets mallory choose the sub claim.
func TestAChosenSubMakesNoOtherUser(t *testing.T) {
	t.Parallel()
	localOnly(t, "chooses sub claims")
	s := openEmpty(t, stagetest.Options{})
	idOf := func(sub string) string {
		status, body := s.post(t, wish(), bearer(s.devToken(t, url.Values{"user": {"x"}, "sub": {sub}})))
		var answer struct{ User stageclient.User }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
			t.Fatalf("%q: answered %d %s", sub, status, body)
		}
		return answer.User.Sub
	}
	at, err := url.Parse(s.client.Outputs.Local.DevTokenURL)
	if err != nil {
		t.Fatal(err)
	}
	const victim = "victim@example.com"
	old := sha256.Sum256([]byte(at.Scheme + "://" + at.Host + victim))
	victims := idOf(victim)
	for _, sub := range []string{
		victims, victims[3:], "h--" + victims[3:], base64.RawURLEncoding.EncodeToString(old[:])[:32],
		victim + " ", " " + victim, "Victim@example.com", victim + "\u200b", "guest-pool",
	} {
		if id := idOf(sub); id == victims || strings.HasPrefix(id, "guest-") {
			t.Errorf("%q is %s, the victim's id or a guest's", sub, id)
		}
	}
}

// TestGrantsForThePoolOrAnInvalidIDAreRefused: otherwise a signer could enter under the id that counts all guests.
func TestGrantsForThePoolOrAnInvalidIDAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	for _, sub := range []string{
		"guest-pool", "guest-", "guest-alice", "guest-" + strings.Repeat("A", 26), "h--", "h--alice",
	} {
		s.unharmed(t, []string{connectFunction}, func() {
			proof := stageclient.NewProof()
			user := stageclient.User{Sub: sub, Name: "x"}
			grant := stageclient.NewGrant(user, []string{"lobby"}, proof.Challenge, time.Now())
			signed := clienttest.Presign(t, s.client, signURLFunction, grant)
			conn, err := s.client.Dial(clienttest.Within(t), signed, stageclient.DialOptions{Verifier: proof.Verifier})
			if err == nil {
				_ = conn.Close()
				t.Errorf("%s got in", sub)
			}
			s.wantReason(t, connectFunction, "malformed_sub")
		})
	}
}

// TestTheIDOfAGuestMakesNoOtherGuest: a guest's id does not reveal the secret, and only the secret counts.
func TestTheIDOfAGuestMakesNoOtherGuest(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "guest", "GuestRooms": "lobby"}})
	ask := func(members string) (int, string) {
		status, body := s.post(t, `{`+members+`,`+wish()[1:], nil)
		var answer struct{ User stageclient.User }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		return status, answer.User.Sub
	}
	secret := strings.Repeat("A", 43)
	status, victim := ask(fmt.Sprintf(`"guest":%q`, secret))
	if status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	for _, other := range []string{
		fmt.Sprintf(`"guest":%q`, secret[:42]), fmt.Sprintf(`"guest":%q`, secret+"="),
		fmt.Sprintf(`"guest":%q`, secret[:42]+"B"), fmt.Sprintf(`"guest":%q`, victim), `"guest":""`,
		fmt.Sprintf(`"guest":%q,"guest":%q`, secret, secret), fmt.Sprintf(`"Guest":%q`, secret),
		fmt.Sprintf(`"sub":%q`, victim), fmt.Sprintf(`"name":%q`, victim), `"name":"x"`,
	} {
		if status, id := ask(other); id == victim || status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("%s: answered %d for %s", other, status, id)
		}
	}
}

// TestOnlyTheTrustedCallerSignsAUserOut: the route is for the trusted caller only. In the other modes it does not
// exist.
func TestOnlyTheTrustedCallerSignsAUserOut(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	signIn, now := strings.Repeat("A", 22), time.Now().Unix()
	send := func(path, profile, body string) int {
		address := strings.TrimSuffix(s.client.Outputs.SignURL, "/signurl") + path
		r, err := http.NewRequestWithContext(clienttest.Within(t), http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if profile != "" {
			if err := s.client.SignRequest(clienttest.Within(t), clienttest.Keys(t, s.client, profile), r,
				[]byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		response, err := s.client.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	body := fmt.Sprintf(`{"user":{"sub":"victim"},"signIn":%q}`, signIn)
	for _, profile := range []string{"", connectFunction, signURLFunction, reaperFunction, "admin"} {
		if status := send("/signout", profile, body); status != http.StatusForbidden {
			t.Errorf("signed by %q: answered %d, want 403", profile, status)
		}
	}
	ask := fmt.Sprintf(`{"signIn":%q,"user":{"sub":"victim","sessionStart":%d,"sessionEndsAt":%d},%s`, signIn, now-1,
		now+600, wish()[1:])
	if status := send("/signurl", pageFunction, ask); status != http.StatusOK {
		t.Errorf("the sign-in is over: answered %d", status)
	}
	jwt := openEmpty(t, stagetest.Options{Parameters: map[string]string{"DeployFrontend": "false"}})
	jwt.client.Outputs.SignURL = strings.TrimSuffix(jwt.client.Outputs.SignURL, "/signurl") + "/signout"
	if status, answer := jwt.post(t, body,
		bearer(clienttest.Token(t, jwt.client, "mallory"))); status != http.StatusNotFound {
		t.Errorf("in mode jwt: answered %d %s, want 404", status, answer)
	}
}
