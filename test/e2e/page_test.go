package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
	"signedsocket/test/tool"
)

// startPage starts a stage that serves the page as a deployed stack does.
func startPage(t *testing.T, parameters map[string]string) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	localOnly(t, "looks at the page's processes, or sets parameters")
	tool.Node(t)
	return startStage(t, stagetest.Options{Page: true, Parameters: parameters})
}

// browser fetches as a browser does, without scripts: it keeps cookies and follows redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

func fetch(t *testing.T, b *http.Client, method, address, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	return clienttest.Fetch(t, b.Do, r)
}

// TestAPageViewAsksForTwoFilesAtMost: on Lambda, each file that is fetched beside another needs a new environment. The
// environment of the document serves one of the two, if the document is complete by then. That depends on the machine,
// so the test counts files, not environments.
func TestAPageViewAsksForTwoFilesAtMost(t *testing.T) {
	t.Parallel()
	stage, client := startPage(t, nil)
	b := browser(t)
	response, document := fetch(t, b, http.MethodGet, client.Outputs.FrontendURL, "", nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the page: %d %s", response.StatusCode, document)
	}
	files := map[string]bool{}
	tags := regexp.MustCompile(`<(?:script|link|img)[^>]*\b(?:src|href)="(/[^"]*)"[^>]*>`)
	for _, tag := range tags.FindAllStringSubmatch(document, -1) {
		if !strings.Contains(strings.ToLower(tag[0]), "nomodule") { // for browsers that no longer exist
			files[tag[1]] = true
		}
	}
	if len(files) == 0 || len(files) > 2 {
		t.Fatalf("the page has %d files, want one or two: %s", len(files), document)
	}
	var loading sync.WaitGroup
	for file := range files {
		loading.Go(func() {
			response, _ := fetch(t, b, http.MethodGet, client.Outputs.FrontendURL+file, "", nil)
			if response.StatusCode != http.StatusOK ||
				!strings.Contains(response.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, Cache-Control %q", file, response.StatusCode, response.Header.Get("Cache-Control"))
			}
		})
	}
	loading.Wait()
	if woken := len(stage.Function(stagetest.FrontendFunction).Environments()); woken > 1+len(files) {
		t.Errorf("the document and %d files have woken %d environments", len(files), woken)
	}
}

// TestThePagesServerSignsForSignedInUsers: the server has the AWS credentials, and the user has a session with the
// server.
func TestThePagesServerSignsForSignedInUsers(t *testing.T) {
	t.Parallel()
	_, client := startPage(t, map[string]string{"AuthMode": "iam"})
	page, proof := client.Outputs.FrontendURL, stageclient.NewProof()
	body := `{"challenge":"` + proof.Challenge + `"}`
	header := http.Header{"Content-Type": {"application/json"}, "Origin": {page}, "Sec-Fetch-Site": {"same-origin"}}

	if response, answer := fetch(t, browser(t), http.MethodPost, page+"/api/signurl", body,
		header); response.StatusCode != http.StatusUnauthorized || strings.Contains(answer, "Signature") {
		t.Errorf("without a sign-in: %d %s", response.StatusCode, answer)
	}
	alice := browser(t)
	signIn(t, alice, page, "alice")
	response, answer := fetch(t, alice, http.MethodPost, page+"/api/signurl", body, header)
	var signed stageclient.Signed
	if err := json.Unmarshal([]byte(answer), &signed); err != nil || response.StatusCode != http.StatusOK ||
		signed.User.Sub != "alice" {
		t.Fatalf("alice has signed in: %d %s, %v", response.StatusCode, answer, err)
	}
	conn := mustEnter(t, client, &signed, proof)
	send(t, conn, "こんにちは", "1")
	if got := await[stageclient.Message](t, conn); got.From.Sub != "alice" || got.Text != "こんにちは" {
		t.Errorf("alice received %+v", got)
	}
}

// signIn sends a browser from the page to the provider, picks a user there, and returns.
func signIn(t *testing.T, b *http.Client, page, user string) {
	t.Helper()
	response, body := fetch(t, b, http.MethodGet, page+"/api/signin", "", nil)
	provider := response.Request.URL
	if response.StatusCode != http.StatusOK || provider.Path != "/authorize" {
		t.Fatalf("signing in leads to %s: %d %s", provider, response.StatusCode, body)
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	response, body = fetch(t, b, http.MethodPost, provider.String(), url.Values{"user": {user}}.Encode(), form)
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Request.URL.String(), page) {
		t.Fatalf("the provider leads to %s: %d %s", response.Request.URL, response.StatusCode, body)
	}
}
