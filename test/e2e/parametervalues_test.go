package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"signedsocket/localstage"
)

// value is a value of a parameter. The template refuses it before anything is deployed, or every function starts with
// it.
type value struct {
	text    string
	refused bool
	with    map[string]string // other parameters that the value needs
	alone   bool              // the chat of TestAChatWorksWithOddParameters cannot use it
}

func takes(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text})
	}
	return values
}

// reads is takes for values that make the tokens of the local issuer useless.
func reads(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text, alone: true})
	}
	return values
}

// readOnly is takes for rooms of which users may only read the first one, so that they do not chat there.
func readOnly(texts ...string) []value { return reads(texts...) }

func refuses(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text, refused: true})
	}
	return values
}

func with(other map[string]string, values []value) []value {
	for i := range values {
		values[i].with, values[i].alone = other, true
	}
	return values
}

// arns returns ARNs of principals of an account, as many as fit into a text of the given length.
func arns(account string, length int) string {
	list := ""
	for i := 0; ; i++ {
		next := fmt.Sprintf("arn:aws:iam::%s:role/a-path/of-two-parts/a_role-with=a.long@name+%03d,", account, i)
		if len(list)+len(next) > length {
			return strings.TrimSuffix(list, ",")
		}
		list += next
	}
}

// principals are values of the two parameters that list IAM users and roles.
func principals() []value {
	const own, other = "arn:aws:iam::" + localstage.AccountID, "arn:aws:iam::444455556666"
	return slices.Concat(
		takes(
			"",
			own+":user/dev",
			own+":role/team/ci/deploy",
			own+":role/a,"+own+":role/a",
			other+":role/web",
			other+":user/dev,"+own+":role/web",
			"arn:aws-cn:iam::"+localstage.AccountID+":role/china",
			own+":role/w+e=i.r@d_n-ame",
			arns(localstage.AccountID, 1500),
		),
		refuses(
			own+":role/team/",
			own+":role/",
			own+":role//a",
			own+":user/dev,",
			","+own+":user/dev",
			own+":user/*",
			own+":root",
			own+":user/dev, "+own+":user/eve",
			"dev",
			"*",
			arns(localstage.AccountID, 1700),
		),
	)
}

// rooms are values of the two parameters that list rooms.
func rooms() []value {
	return slices.Concat(
		takes("a", "a,a", "a,b,a,b,a,b,a,b", "-,_", strings.Repeat("r", 32),
			strings.Repeat(strings.Repeat("r", 32)+",", 7)+"0", "0,1,2,3,4,5,6,7", "a,b:r,c:r,b"),
		readOnly("a:r", "a,a:r,b", "a:r,a", strings.Repeat("r", 32)+":r",
			strings.Repeat(strings.Repeat("r", 32)+":r,", 7)+"0:r", "0:r,1:r,2:r,3:r,4:r,5:r,6:r,7:r"),
		refuses("A", "a,", ",a", "a b", "a, b", "ä", strings.Repeat("r", 33), "0,1,2,3,4,5,6,7,8", "a:", ":r", "a:x",
			"a:R", "a:r:r", "a:rw", "a :r", "a: r", "a,b:x", strings.Repeat("r", 33)+":r"),
	)
}

// concurrency are values of the parameters with a reserved concurrency.
func concurrency() []value {
	return slices.Concat(takes("0", "1", "1000"), refuses("00", "0.0", "01", "1.5", "1e2", "-1", "1001", ""))
}

func burst() []value {
	return slices.Concat(takes("1", "600", "5000"), refuses("0", "00", "01", "1.5", "1e2", "-1", "5001", ""))
}

// written are the values that follow from no bound and no list of the template.
func written() map[string][]value {
	cognito := map[string]string{"IdentityProvider": "cognito", "OidcIssuer": ""}
	return map[string][]value{
		"StageName": slices.Concat(
			takes("prod", "-", "_", "0", "a-B_9", strings.Repeat("s", 64)),
			refuses("", "$default", "a/b", "a b", strings.Repeat("s", 65)),
		),
		"AuthMode": {
			{text: "iam", alone: true},
			{text: "iam", alone: true, with: map[string]string{"DeployFrontend": "false"}},
			{text: "guest", alone: true, with: map[string]string{"GuestRooms": "a,a"}},
		},
		"IdentityProvider": refuses("Cognito", ""),
		"CognitoSignUp":    refuses("Open", ""),
		"OidcIssuer": slices.Concat(
			reads(
				"https://id.example.com",
				"https://id.example.com/",
				"https://id.example.com:8443/realms/a,b",
				"https://id.example.com:443",
				"https://ID.example.com/~x/%7E",
			),
			refuses(
				"http://id.example.com",
				"https://",
				"https://id.example.com/?x",
				"https://id.example.com/#x",
				"https://a b",
				"https://a@b.example",
				"https://id.example.com:0",
				"https://"+strings.Repeat("x", 250),
			),
		),
		"OidcAudience": slices.Concat(
			reads(
				"chat",
				"api://0f8fad5b",
				"https://api.example.com/,chat",
				"chat,chat",
				`"quoted"`,
				"{{x}}",
				strings.Repeat("a", 255),
			),
			refuses("", "a,,b", "a b", "ä", strings.Repeat("a", 256)),
		),
		"OidcClientId": slices.Concat(
			reads("chat", "https://chat.example.com/", `"quoted"`, strings.Repeat("a", 255)),
			refuses("", "a,b", "a b", "ä"),
		),
		"OtherOidcClientIds": slices.Concat(
			takes("", "app", "app,desktop", "app,app", "https://app.example.com/", `"quoted"`,
				strings.Repeat("a", 255)),
			refuses("a,,b", "a b", "ä", ",a", strings.Repeat("a", 256)),
		),
		"AuthorizationScopes": slices.Concat(
			takes(""),
			reads("chat", "chat:read,chat:write", "api://chat/.default", "chat,chat", strings.Repeat("s", 255)),
			refuses("a b", "a,,b", "ä", `a"b`, strings.Repeat("s", 256)),
		),
		"OidcScope": slices.Concat(
			reads("openid", "openid offline_access", "api://chat/.default", "s", strings.Repeat("s", 1000)),
			refuses("", "a  b", " a", "a ", "ä", `a"b`, `a\b`, "a\nb", strings.Repeat("s", 1001)),
		),
		"NameClaim": slices.Concat(
			takes("name", "https://example.com/name", "cognito:username", strings.Repeat("n", 128)),
			refuses("", "a b", "a,b", "$x"),
		),
		"RoomsClaim": slices.Concat(
			takes(""),
			reads("rooms", "https://example.com/rooms", "cognito:groups", strings.Repeat("n", 128)),
			refuses("a b", "a,b"),
		),
		"ModeratorClaim": slices.Concat(
			takes("", "moderator", "https://example.com/moderator", "cognito:groups", strings.Repeat("n", 128)),
			refuses("a b", "a,b", strings.Repeat("n", 129)),
		),
		"DefaultRooms": slices.Concat(rooms(), refuses("")),
		"GuestRooms":   slices.Concat(takes(""), rooms(), with(map[string]string{"AuthMode": "guest"}, rooms())),
		"TrustedCallerArns": slices.Concat(principals(), with(map[string]string{"AuthMode": "iam"}, principals()),
			with(map[string]string{"AuthMode": "iam", "DeployFrontend": "false"}, principals())),
		"ExtraSignerArns": principals(),
		"AllowedOrigins": slices.Concat(
			takes(
				"",
				"https://a.example",
				"https://a.example:8443",
				"https://a.example:80",
				"https://a.example:44",
				"https://a.example:4430",
				"https://a.example:1443",
				"http://localhost",
				"http://localhost:3000",
				"http://127.0.0.1:443",
				"http://localhost:8000",
				"https://a.example,https://a.example",
				"https://-.",
				"https://203.0.113.7:99",
			),
			refuses(
				"https://a.example:443",
				"http://localhost:80",
				"https://a.example:0443",
				"https://a.example:0",
				"https://a.example/",
				"https://A.example",
				"http://a.example",
				"*",
				"https://*.example",
				"null",
				"https://a.example, https://b.example",
				"https://a.example,",
				"https://a.example:443,https://b.example",
				"https://b.example,https://a.example:443",
				"https://"+strings.Repeat("a", 1000),
			),
			with(
				map[string]string{
					"ExtraSignerArns":   arns(localstage.AccountID, 1500),
					"TrustedCallerArns": arns(localstage.AccountID, 1500),
					"AuthMode":          "iam",
				},
				takes(strings.Repeat("https://a.example,", 54)+"https://b.example"),
			),
		),
		"ProofOfPossession":  refuses("Required", ""),
		"UrlLifetimeSeconds": reads("1.5"),
		"HistoryDays": slices.Concat(
			takes("0", "1", "365"), refuses("", "00", "-1", "366", "1.5", "7 days"),
		),
		"PresenceLimit": slices.Concat(
			takes("0", "1", "99", "100", "199", "200"), refuses("", "00", "-1", "201", "1.5", "all"),
		),
		"SignUrlBurst":           burst(),
		"ConnectBurst":           burst(),
		"SignUrlConcurrency":     concurrency(),
		"ConnectConcurrency":     concurrency(),
		"DisconnectConcurrency":  concurrency(),
		"SendMessageConcurrency": concurrency(),
		"HistoryConcurrency":     concurrency(),
		"PresenceConcurrency":    concurrency(),
		"FanoutConcurrency":      concurrency(),
		"ReaperConcurrency":      concurrency(),
		"FrontendConcurrency":    concurrency(),
		"AdapterLayerVersion": slices.Concat(
			takes("27", "28", "30", "99999"),
			refuses("26", "29", "030", "1e2", "100000", ""),
		),
		"AlarmEmail": slices.Concat(
			takes("", "ops@example.com", "x+y_z.1@a-b.example.co.uk"),
			refuses("ops", "ops@example", "a b@example.com", "a@b@example.com", "ops@example.com,x@example.com"),
		),
		"AlarmTopicArn": slices.Concat(
			takes("", "arn:aws:sns:us-east-1:111122223333:alarms"),
			refuses("alarms", "arn:aws:sqs:us-east-1:111122223333:alarms",
				"arn:aws:sns:us-east-1:111122223333:alarms.fifo"),
		),
		"PermissionsBoundaryArn": slices.Concat(
			takes("", "arn:aws:iam::111122223333:policy/chat-Boundary-1", "arn:aws:iam::aws:policy/PowerUserAccess",
				"arn:aws:iam::111122223333:policy/a/b/c"),
			refuses("arn:aws:iam::111122223333:policy/", "arn:aws:iam::111122223333:role/x", "Boundary"),
		),
		"WebSocketLogs":      refuses("true", "On"),
		"DeletionProtection": refuses("true", "On"),
		"DeployFrontend":     with(cognito, refuses("false")),
	}
}
