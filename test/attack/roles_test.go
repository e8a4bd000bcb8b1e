package attack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// signedCall sends a request signed with a profile's keys (none when profile is empty).
func (s *scene) signedCall(t *testing.T, profile, service, method, address, target string, body []byte) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(clienttest.Within(t), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if target != "" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", target)
	}
	if profile != "" {
		provider, err := s.client.Credentials(clienttest.Within(t), profile)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := provider.Retrieve(clienttest.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(body)
		if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(digest[:]), service,
			s.client.Outputs.Region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	response, answer := clienttest.Fetch(t, s.client.HTTP.Do, r)
	return response.StatusCode, answer
}

// denies reports whether DynamoDB refuses an operation to a profile because of its policies.
func (s *scene) denies(t *testing.T, profile, operation string, body any) bool {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.signedCall(t, profile, "dynamodb", http.MethodPost, s.client.Outputs.Local.DynamoDBURL+"/",
		"DynamoDB_20120810."+operation, data)
	denied := strings.Contains(answer, "AccessDeniedException")
	if denied != (status == http.StatusBadRequest && denied) ||
		!denied && status != http.StatusOK && !strings.Contains(answer, "ConditionalCheckFailed") {
		t.Errorf("%s as %s: answered %d %s", operation, profile, status, answer)
	}
	return denied
}

type object = map[string]any

// bansKind stands for the items of the table Bans.
const bansKind = "BANS"

// itemRequests are the ways to use the items of one kind, by the names that roleMay has for them. Every change has a
// condition that never holds, so the table stays as it is.
func itemRequests(o stageclient.Outputs, kind string) map[string]object {
	table, partition := o.TableName, "pk"
	key := object{"pk": object{"S": kind + "#none"}, "sk": object{"S": "X"}}
	switch kind {
	case "REAPER", "LOGS", "HERE":
		key["pk"] = object{"S": kind}
	case bansKind:
		table, partition, key = o.BansTable, "id", object{"id": object{"S": "none"}}
	}
	never := object{"TableName": table, "ConditionExpression": "attribute_exists(nothing)"}
	with := func(more object) object { all := maps.Clone(never); maps.Copy(all, more); return all }
	one := func(action string, request object) object {
		return object{"TransactItems": []object{{action: request}}}
	}
	update := object{"UpdateExpression": "SET x = :x", "ExpressionAttributeValues": object{":x": object{"S": "x"}},
		"Key": key}
	return map[string]object{
		"GetItem":    {"TableName": table, "Key": key},
		"PutItem":    with(object{"Item": key}),
		"UpdateItem": with(update),
		"DeleteItem": with(object{"Key": key}),
		"Query": {"TableName": table, "KeyConditionExpression": partition + " = :pk",
			"ExpressionAttributeValues": object{":pk": key[partition]}},
		"TransactWriteItems Put":            one("Put", with(object{"Item": key})),
		"TransactWriteItems Update":         one("Update", with(update)),
		"TransactWriteItems Delete":         one("Delete", with(object{"Key": key})),
		"TransactWriteItems ConditionCheck": one("ConditionCheck", with(object{"Key": key})),
		"TransactGetItems Get":              one("Get", object{"TableName": table, "Key": key}),
	}
}

// kinds are the kinds of items in the table of connections, and OTHER for an item of no kind.
func kinds() []string {
	return []string{"CONN", "ROOM", "TICKET", "USER", "RATE", "KICK", "SIGN", "SWEEP", "REAPER", "LOG", "LOGS", "HERE",
		"READ", "OTHER"}
}

// roleMay is everything that the roles of the functions may do with the tables: operations by kind of item. A grant for
// transactions covers all kinds of items of the table of connections, because no condition key tells them apart.
func roleMay() map[string]map[string][]string {
	may := map[string]map[string][]string{
		signURLFunction: {"GetItem": {"USER", "KICK", bansKind}, "UpdateItem": {"SIGN"}},
		connectFunction: {
			"GetItem": {"USER", "RATE", "KICK", "CONN"}, "DeleteItem": {"SWEEP"},
		},
		disconnectFunction: {"GetItem": {"CONN"}},
		sendFunction: {
			"GetItem": {"CONN", "KICK", "LOG", "LOGS"}, "UpdateItem": {"CONN", "ROOM", "LOG"},
			"Query": {"ROOM", "LOG", "LOGS"}, "PutItem": {"SWEEP", "KICK"},
		},
		historyFunction: {
			"GetItem": {"KICK", "HERE", "READ"}, "UpdateItem": {"CONN", "HERE", "READ"}, "Query": {"LOG", "ROOM"},
			"PutItem": {"SWEEP", "KICK"},
		},
		presenceFunction: {
			"GetItem": {"CONN"}, "UpdateItem": {"HERE", "ROOM"}, "Query": {"HERE", "ROOM"}, "PutItem": {"SWEEP"},
		},
		fanoutFunction: {"GetItem": {"CONN"}, "UpdateItem": {"ROOM"}, "PutItem": {"SWEEP"}},
		eraseFunction: {
			"GetItem": {"LOG", "LOGS"}, "UpdateItem": {"LOG"}, "Query": {"LOG", "LOGS", "READ"},
			"DeleteItem": {"READ"},
		},
		reaperFunction: {
			"GetItem": {"CONN", "REAPER"}, "UpdateItem": {"USER", "REAPER",
				bansKind}, "Query": {"SWEEP"}, "DeleteItem": {"SWEEP"},
		},
	}
	for profile, actions := range map[string][]string{
		connectFunction:    {"Put", "Update", "Delete", "ConditionCheck"},
		disconnectFunction: {"Update", "Delete"},
		sendFunction:       {"Update", "Delete"},
		fanoutFunction:     {"Update", "Delete"},
		presenceFunction:   {"Update", "Delete"},
		eraseFunction:      {"Update"},
		reaperFunction:     {"Put", "Update", "Delete"},
	} {
		for _, action := range actions {
			may[profile]["TransactWriteItems "+action] = kinds()
		}
	}
	may[reaperFunction]["TransactGetItems Get"] = kinds()
	// The reaper writes a ban outside of transactions only, and connect asks for one in a transaction only. DynamoDB
	// has no permission that separates the two.
	may[connectFunction]["TransactWriteItems ConditionCheck"] = append(kinds(), bansKind)
	may[reaperFunction]["TransactWriteItems Update"] = append(kinds(), bansKind)
	may[signURLFunction]["TransactGetItems Get"] = []string{bansKind}
	return may
}

// TestEachRoleTouchesOnlyItsItems tries every operation on every kind of item with the keys of every function.
func TestEachRoleTouchesOnlyItsItems(t *testing.T) {
	t.Parallel()
	localOnly(t, "has the keys of every role")
	s := open(t, stagetest.Options{})
	s.unharmed(t, nil, func() {
		for _, profile := range profiles() {
			may := roleMay()[profile]
			for _, kind := range append(kinds(), bansKind) {
				for name, request := range itemRequests(s.client.Outputs, kind) {
					operation, _, _ := strings.Cut(name, " ")
					denied := s.denies(t, profile, operation, request)
					if allowed := slices.Contains(may[name], kind); denied == allowed {
						t.Errorf("%s: %s of %s: denied is %t, want %t", profile, name, kind, denied, !allowed)
					}
				}
			}
		}
	})
}

// TestNoRoleTouchesTheTableAsAWhole: no role may scan, delete or list tables, or use another table.
func TestNoRoleTouchesTheTableAsAWhole(t *testing.T) {
	t.Parallel()
	localOnly(t, "has the keys of every role")
	s := open(t, stagetest.Options{})
	table := object{"TableName": s.client.Outputs.TableName}
	s.unharmed(t, nil, func() {
		for _, profile := range profiles() {
			for operation, request := range map[string]object{
				"Scan": table, "DescribeTable": table, "DeleteTable": table, "DescribeTimeToLive": table,
				"ListTables": {},
				"UpdateTimeToLive": {"TableName": s.client.Outputs.TableName,
					"TimeToLiveSpecification": object{"AttributeName": "x", "Enabled": true}},
			} {
				if !s.denies(t, profile, operation, request) {
					t.Errorf("%s may %s", profile, operation)
				}
			}
			// In a transaction with a second table a role may do nothing, not even its own operations.
			const key = `"Key":{"pk":{"S":"a"},"sk":{"S":"b"}}`
			for _, action := range []string{`{"Delete":{` + key, `{"Update":{"UpdateExpression":"REMOVE x",` + key} {
				body := fmt.Sprintf(`{"TransactItems":[%s,"TableName":%q}},%[1]s,"TableName":"payroll"}}]}`, action,
					s.client.Outputs.TableName)
				_, other := s.signedCall(t, profile, "dynamodb", http.MethodPost,
					s.client.Outputs.Local.DynamoDBURL+"/", "DynamoDB_20120810.TransactWriteItems", []byte(body))
				if !strings.Contains(other, "AccessDeniedException") {
					t.Errorf("%s in another table: %s", profile, other)
				}
			}
		}
	})
}

// TestEachRoleHasOnlyItsRightsOnConnections: fanout and presence may post. connect, sendmessage, history and the reaper
// may post and close. No role may read the state of a connection.
func TestEachRoleHasOnlyItsRightsOnConnections(t *testing.T) {
	t.Parallel()
	localOnly(t, "has the keys of every role")
	s := open(t, stagetest.Options{})
	victim := s.connectionID(t)
	for _, profile := range append(profiles(), "") {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			closes := slices.Contains([]string{connectFunction, sendFunction, historyFunction, reaperFunction}, profile)
			posts := slices.Contains([]string{fanoutFunction, presenceFunction}, profile)
			if posts && method == http.MethodPost || closes && method != http.MethodGet {
				continue // that is its work
			}
			s.unharmed(t, nil, func() {
				status, answer := s.signedCall(t, profile, "execute-api", method, s.client.Outputs.CallbackURL+
					"/@connections/"+url.PathEscape(victim), "", []byte(`{"type":"bye","code":"kicked"}`))
				if status != http.StatusForbidden || strings.Contains(answer, "sourceIp") {
					t.Errorf("%s %s @connections: answered %d %s, want 403", profile, method, status, answer)
				}
			})
		}
	}
}

// TestAConnectionIDGivesNoAccess: an attacker who knows or guesses the id of a connection can do nothing with it.
func TestAConnectionIDGivesNoAccess(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	victim := s.connectionID(t)
	s.unharmed(t, nil, func() {
		for _, id := range []string{victim, victim[:14] + "A", "AAAAAAAAAAAAAAAA", "..", "*", ""} {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
				status, answer := s.signedCall(t, "", "", method,
					s.client.Outputs.CallbackURL+"/@connections/"+url.PathEscape(id), "", []byte(`{"type":"bye"}`))
				if status != http.StatusForbidden {
					t.Errorf("%s of %q without a signature: answered %d %s, want 403 whether it exists or not", method,
						id, status, answer)
				}
			}
		}
	})
}

// TestTheSignersDenyHoldsAgainstAddedRights: an operator gives the signer's role more rights than it needs. The
// explicit Deny of the role still holds: no URL that it signs posts to a connection or closes one.
func TestTheSignersDenyHoldsAgainstAddedRights(t *testing.T) {
	t.Parallel()
	const sid = "              - Sid: OpenConnections\n"
	s := open(t, stagetest.Options{Edit: replaced(sid, "              - Sid: TooMuch\n                Effect: "+
		"Allow\n                Action: execute-api:ManageConnections\n                Resource: \"*\"\n"+sid)})
	victim := s.connectionID(t)
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		s.unharmed(t, nil, func() {
			status, _ := s.signedCall(t, signURLFunction, "execute-api", method, s.client.Outputs.CallbackURL+
				"/@connections/"+url.PathEscape(victim), "", []byte(`{"type":"bye","code":"kicked"}`))
			if status != http.StatusForbidden {
				t.Errorf("%s: answered %d, want 403", method, status)
			}
		})
	}
}

// TestNoRoleInvokesFunctions: the right to invoke the reaper would be the right to close any connection. With signurl a
// caller could choose a user, with fanout a sender and a text, and with erase a user to remove. Only sendmessage may
// invoke fanout: it can post any text anyway.
func TestNoRoleInvokesFunctions(t *testing.T) {
	t.Parallel()
	localOnly(t, "has the keys of every role")
	s := open(t, stagetest.Options{})
	outputs := s.client.Outputs
	events := map[string]string{
		outputs.ReaperName: `{"revoke":{"user":"victim"}}`,
		outputs.EraseName:  `{"erase":{"user":"victim"}}`,
		strings.Replace(outputs.ReaperName, "Reaper", "SignUrl",
			1): `{"requestContext":{"authorizer":{"jwt":{"claims":{"sub":"victim"}}}}}`,
		strings.Replace(outputs.ReaperName, "Reaper", "Fanout",
			1): `{"frame":"{\"type\":\"bye\",\"code\":\"kicked\"}","members":[{"id":"` + s.connectionID(t) +
			`","at":1}]}`,
	}
	reaped := s.Invocations(reaperFunction)
	for _, profile := range append(profiles(), "") {
		s.unharmed(t, nil, func() {
			for name, event := range events {
				for _, form := range []string{name, "arn:aws:lambda:us-east-1:111122223333:function:" + name,
					url.PathEscape(name + ":$LATEST")} {
					status, answer := s.signedCall(t, profile, "lambda", http.MethodPost,
						outputs.Local.LambdaURL+"/2015-03-31/functions/"+form+"/invocations", "", []byte(event))
					if status != http.StatusForbidden {
						t.Errorf("%q invokes %s: answered %d %s, want 403", profile, form, status, answer)
					}
				}
			}
		})
	}
	if invoked := s.Invocations(reaperFunction) - reaped; invoked > 1 {
		t.Errorf("the reaper was invoked %d times, want at most once, by its schedule", invoked)
	}
}
