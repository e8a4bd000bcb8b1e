package issuer

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

var (
	//go:embed page/authorize.html
	pageText string
	//go:embed page/style.css
	styleText string

	page = template.Must(template.New("authorize").Parse(pageText))
)

// view is the content of the page. Problem is in English, for the developer who has made a mistake.
type view struct {
	Client, Problem, Hint, Claims string
	Users                         []string
	CanSignIn                     bool
	Text                          texts
}

// texts are the words of the page in one language.
type texts struct {
	Language, Title, Heading, To, Notice, Another, SignIn, Rule, Claims, ClaimsRule, Second string
}

func english() texts {
	return texts{
		Language: "en", Title: "Sign in to the local stage", Heading: "Who are you?",
		To:      "You are signing in to",
		Notice:  "This is the local stage. Every name can sign in, without a password.",
		Another: "Another name", SignIn: "Sign in", Rule: "1 to 32 characters: a–z, 0–9 and the hyphen.",
		Claims:     "Other claims",
		ClaimsRule: "Optional, for example: moderator=true rooms=lobby rooms=news:r",
		Second:     "For a second user at the same time, open a private window.",
	}
}

func japanese() texts {
	return texts{
		Language: "ja", Title: "ローカルステージにサインイン", Heading: "だれとして使いますか?",
		To:         "サインイン先",
		Notice:     "ローカルステージです。パスワードはなく、だれにでもなれます。",
		Another:    "別の名前",
		SignIn:     "サインイン",
		Rule:       "1〜32文字。使えるのは a–z、0–9、ハイフンです。",
		Claims:     "その他のクレーム",
		ClaimsRule: "省略可。例: moderator=true rooms=lobby rooms=news:r",
		Second: "同時にもう一人を使うときは、" +
			"プライベートウィンドウを開いてください。",
	}
}

// textsFor chooses one of the two languages by the browser's first preference.
func textsFor(r *http.Request) texts {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "ja") {
		return japanese()
	}
	return english()
}

// show writes the page. Its form may lead on to redirect's origin and to no other.
func show(w http.ResponseWriter, r *http.Request, status int, redirect *url.URL, v view) {
	v.Text = textsFor(r)
	formAction := "'self'"
	if redirect != nil {
		formAction += " " + redirect.Scheme + "://" + redirect.Host
		v.CanSignIn, v.Client, v.Users = true, redirect.Host, []string{"alice", "bob", "carol"}
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // a browser that hung up needs no answer
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText))
}
