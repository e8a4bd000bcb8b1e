package protocol_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"signedsocket/protocol"
	"signedsocket/test/tool"
)

func answer(body []byte) error { return protocol.SignURLAnswer(http.StatusOK, body) }

func refusal(body []byte) error { return protocol.SignURLAnswer(http.StatusForbidden, body) }

func TestEveryExampleKeepsToTheContract(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]func([]byte) error{
		"sendmessage": protocol.FromClient, "ping": protocol.FromClient, "historyRequest": protocol.FromClient,
		"delete": protocol.FromClient, "history": protocol.FromServer, "synced": protocol.FromServer,
		"deleted": protocol.FromServer, "presence": protocol.FromServer,
		"message": protocol.FromServer, "ack": protocol.FromServer, "error": protocol.FromServer,
		"bye": protocol.FromServer, "pong": protocol.FromServer, "gatewayError": protocol.FromServer,
		"request": protocol.SignURLRequest, "answer": answer, "refusal": refusal, "gatewayRefusal": refusal,
	} {
		for _, text := range protocol.Examples(t, name) {
			if err := check([]byte(text)); err != nil {
				t.Errorf("the example %s of %s: %v", text, name, err)
			}
		}
	}
}

// TestBrokenFramesAndBodiesBreakTheContract shows that each of the checks can fail.
func TestBrokenFramesAndBodiesBreakTheContract(t *testing.T) {
	t.Parallel()
	const session, signed = `"sessionStart":1,"sessionEndsAt":2`, `"sessionEndsIn":1,"user":{"sub":"a","name":"A"}`
	url := `"url":"wss://a.example?X-Amz-Signature=` + strings.Repeat("0", 64) +
		`","protocols":["chat.v1"],"expiresIn":1,` + signed
	const user = `{"user":{"sub":"a",` + session
	const want = `{"action":"history","want":[{"room":"lobby",`
	const page = `{"type":"history","room":"lobby","head":9,"more":true,"keepDays":7,`
	const deleted = `{"seq":9,"id":"KZ3WXHB5R2TQ4M6VCN7YAEJD4F","deleted":true,"message":"a"}`
	const ack = `"type":"ack","id":"KZ3WXHB5R2TQ4M6VCN7YAEJD4F"`
	const gone = `"type":"deleted","room":"lobby","seq":9,"from":{"sub":"a","name":"A"}`
	const presence = `{"type":"presence","room":"lobby","count":1,`
	for name, test := range map[string]struct {
		check func([]byte) error
		text  string
	}{
		"no text":                      {protocol.FromClient, `{"action":"sendmessage"}`},
		"an empty text":                {protocol.FromClient, `{"message":""}`},
		"a long text":                  {protocol.FromClient, `{"message":"` + strings.Repeat("a", 2001) + `"}`},
		"a long frame":                 {protocol.FromClient, `{"message":"` + strings.Repeat("あ", 1400) + `"}`},
		"a control character":          {protocol.FromClient, `{"message":"a\u0000"}`},
		"a direction override":         {protocol.FromClient, `{"message":"a\u202eb"}`},
		"an unknown member":            {protocol.FromClient, `{"message":"a","from":{"sub":"bob"}}`},
		"a member twice":               {protocol.FromClient, `{"message":"a","message":"b"}`},
		"bytes that are not UTF-8":     {protocol.FromClient, "{\"message\":\"\xff\"}"},
		"another action":               {protocol.FromClient, `{"action":"shout","message":"a"}`},
		"a room in capital letters":    {protocol.FromClient, `{"message":"a","room":"Lobby"}`},
		"a long client id":             {protocol.FromClient, `{"message":"a","id":"` + strings.Repeat("i", 37) + `"}`},
		"a request for nothing":        {protocol.FromClient, `{"action":"history","want":[],"id":"h7"}`},
		"after and before":             {protocol.FromClient, want + `"after":1,"before":2}]}`},
		"after with a limit":           {protocol.FromClient, want + `"after":1,"limit":2}]}`},
		"no part of a log":             {protocol.FromClient, want + `"limit":1}]}`},
		"a negative number":            {protocol.FromClient, want + `"after":-1}]}`},
		"too many messages":            {protocol.FromClient, want + `"last":101}]}`},
		"complete without after":       {protocol.FromServer, page + `"last":5,"entries":[],"complete":true}`},
		"after without complete":       {protocol.FromServer, page + `"after":5,"entries":[]}`},
		"a deleted text":               {protocol.FromServer, page + `"last":5,"entries":[` + deleted + `]}`},
		"no heads":                     {protocol.FromServer, `{"type":"synced","heads":{}}`},
		"no object":                    {protocol.FromServer, `[]`},
		"an unknown type":              {protocol.FromServer, `{"type":"typing"}`},
		"no counts":                    {protocol.FromServer, `{` + ack + `,"recipients":1}`},
		"a negative count":             {protocol.FromServer, `{` + ack + `,"recipients":1,"delivered":-1,"gone":0}`},
		"no recipients":                {protocol.FromServer, `{` + ack + `,"recipients":0,"delivered":0,"gone":0}`},
		"no number to delete":          {protocol.FromClient, `{"action":"delete","room":"lobby","id":"d1"}`},
		"no room to delete in":         {protocol.FromClient, `{"action":"delete","seq":1}`},
		"a text to delete":             {protocol.FromClient, `{"action":"delete","room":"a","seq":1,"message":"a"}`},
		"number 0 to delete":           {protocol.FromClient, `{"action":"delete","room":"lobby","seq":0}`},
		"a deletion of nothing":        {protocol.FromServer, `{` + gone + `,"sentAt":1}`},
		"a deletion without a time":    {protocol.FromServer, `{` + gone + `,"of":8}`},
		"no version of a room":         {protocol.FromServer, presence + `"users":[]}`},
		"a user without a name":        {protocol.FromServer, presence + `"n":1,"users":[{"sub":"a"}]}`},
		"nothing read":                 {protocol.FromServer, page + `"last":5,"entries":[],"read":0}`},
		"nothing read in any room":     {protocol.FromServer, `{"type":"synced","heads":{"a":1},"read":{}}`},
		"an unknown code":              {protocol.FromServer, `{"type":"error","code":"tired","message":"Later."}`},
		"no time to wait":              {protocol.FromServer, `{"type":"error","code":"rate_limited","message":"A"}`},
		"a bye frame without a reason": {protocol.FromServer, `{"type":"bye"}`},
		"no connection":                {protocol.FromServer, `{"message":"Forbidden","requestId":"R="}`},
		"nine rooms":                   {protocol.SignURLRequest, `{"rooms":["a","b","c","d","e","f","g","h","i"]}`},
		"a room twice":                 {protocol.SignURLRequest, `{"rooms":["a","a"]}`},
		"a short challenge":            {protocol.SignURLRequest, `{"challenge":"a"}`},
		"a challenge of 33 bytes":      {protocol.SignURLRequest, `{"challenge":"` + strings.Repeat("B", 43) + `"}`},
		"an unknown member of a user":  {protocol.SignURLRequest, user + `,"x":1}}`},
		"a right in a request":         {protocol.SignURLRequest, `{"rooms":["a:r"]}`},
		"a room with an unknown flag":  {protocol.SignURLRequest, user + `,"rooms":["a:x"]}}`},
		"a moderator in words":         {protocol.SignURLRequest, user + `,"moderator":"true"}}`},
		"a moderator outside of user":  {protocol.SignURLRequest, `{"moderator":true}`},
		"a right with its flag":        {answer, `{` + url + `,"rooms":[{"room":"a:r"}]}`},
		"a room as a text":             {answer, `{` + url + `,"rooms":["a"]}`},
		"a member that says nothing":   {answer, `{` + url + `,"moderator":false}`},
		"an answer without a URL":      {answer, `{"protocols":["chat.v1"],"expiresIn":1,` + signed + `}`},
		"a refusal for an answer":      {answer, `{"error":"revoked","message":"Sign in again."}`},
		"an answer for a refusal":      {refusal, `{"url":"wss://a.example","message":""}`},
		"an unknown refusal":           {refusal, `{"error":"tired","message":"Later."}`},
	} {
		if err := test.check([]byte(test.text)); err == nil {
			t.Errorf("%s keeps to the contract: %s", name, test.text)
		}
	}
}

// TestLaterVersionsMayAddMembersToFramesOfTheServer is what clients must expect.
func TestLaterVersionsMayAddMembersToFramesOfTheServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"message", "ack", "error", "bye", "history", "synced", "deleted", "presence", "pong", "gatewayError",
	} {
		longer := strings.Replace(protocol.Examples(t, name)[0], "{", `{"later":{"a":[1]},`, 1)
		if err := protocol.FromServer([]byte(longer)); err != nil {
			t.Errorf("%s: %v", longer, err)
		}
	}
}

// TestEveryCodeHasAnExampleAndARow compares the examples, which keep to the schemas, with the lists of codes.
func TestEveryCodeHasAnExampleAndARow(t *testing.T) {
	t.Parallel()
	contract := protocol.Read(t)
	page := page(t)
	for name, list := range map[string][]protocol.Code{"error": contract.ErrorCodes, "bye": contract.CloseCodes.Bye} {
		var listed, shown []string
		for _, code := range list {
			listed = append(listed, code.Code)
		}
		for _, frame := range protocol.Examples(t, name) {
			shown = append(shown, regexp.MustCompile(`"code":"(\w+)"`).FindStringSubmatch(frame)[1])
		}
		if slices.Sort(listed); len(listed) < 6 || !slices.Equal(listed, sorted(shown)) {
			t.Errorf("%s frames: the contract lists %q and shows %q", name, listed, shown)
		}
		for _, code := range listed {
			if !bytes.Contains(page, []byte("| `"+code+"` |")) {
				t.Errorf("docs/protocol.md has no row for the code %s of %s frames", code, name)
			}
		}
	}
	for _, code := range contract.ErrorCodes {
		strike := map[bool]string{true: "yes", false: "no"}[code.Strike]
		if !regexp.MustCompile("(?m)^\\| `" + code.Code + "` \\|.*\\| " + strike + " \\|$").Match(page) {
			t.Errorf("docs/protocol.md says of the code %s another strike than %s", code.Code, strike)
		}
	}
	for _, code := range contract.CloseCodes.Socket {
		if !bytes.Contains(page, []byte("| "+code.Code+" |")) {
			t.Errorf("docs/protocol.md has no row for the close code %s", code.Code)
		}
	}
}

func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

func page(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTheDocumentIsAsyncAPI asks the parser of AsyncAPI about the document, and about one that is none.
func TestTheDocumentIsAsyncAPI(t *testing.T) {
	t.Parallel()
	node := tool.Node(t)
	tool.Path(t, "make test installs it", "../tools/node/node_modules/.bin/js-yaml") // which the parser needs
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	text := strings.Replace(string(protocol.Document), "additionalProperties: false", "additionalProperties: 7", 1)
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "../tools/node/validate-asyncapi.mjs", "asyncapi.yaml", broken)
	output, err := command.CombinedOutput()
	if err != nil || bytes.Contains(output, []byte("asyncapi.yaml: ")) {
		t.Errorf("%v\n%s", err, output)
	}
	if !bytes.Contains(output, []byte("broken.yaml: components/schemas/sendmessage: ")) {
		t.Errorf("the parser accepts additionalProperties: 7:\n%s", output)
	}
}
