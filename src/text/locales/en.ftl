## Every page
product = Yaopai
skip-to-content = Skip to content
language = Language
motto = One badge opens every gate.
motto-more = Sign in once; every application of the company knows you.
never-share = Never tell anyone your password, not even the help desk.
to-portal = Go to my applications

## Signing in
sign-in = Sign in
sign-in-title = Sign in to { $organisation }
sign-in-lead = Use the login name and password of your company account.
sign-in-again = The application asks you to confirm that it is still you.
login-name = Login name
password = Password
sign-in-help = Forgotten your password? Your company's help desk can set a new one.
problem-empty = Type both your login name and your password.
problem-too-long = This password is longer than any password can be. Type it again.
problem-wrong = Login name or password is not right. Check both and try again.
problem-wrong-wait = Login name or password is not right. After several failed attempts you have to wait { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 } before the next one.
problem-throttled = Too many failed attempts. Wait { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }, then try again. If this was not you, tell your help desk.
problem-must-change = Your password has to be changed before it can be used here. Change it where your company lets you (or ask the help desk), then sign in with the new one.
problem-directory = The company directory cannot be reached, so nobody's password can be checked right now. Try again in a minute; if it lasts, tell your help desk.
problem-busy = Very many people are signing in at this moment. Try again in a few seconds.

## Refusals
error-title = Not possible
error-request = Request { $id }: give this number to your help desk if you ask for help.
error-internal = Something failed on our side.
next-error-internal = Try again in a moment. If it happens again, tell your help desk the number below.
error-not-found = There is no such page.
next-error-not-found = Check the address, or begin at your applications.
error-method = This page cannot be used in that way.
next-error-method = Go back and use the buttons of the page.
error-no-cookies = Your browser does not keep cookies.
next-error-no-cookies = Allow cookies for this site, open the sign-in page again and sign in. If you left the page open for long, opening it again is enough.
error-cross-site = This request came from another site.
next-error-cross-site = Nothing was done. If you wanted this, open the page here and use its buttons.
error-bad-request = This request cannot be understood.
next-error-bad-request = Go back, open the page again and use its buttons.
error-too-large = This form holds more than it may.
next-error-too-large = Go back and shorten what you typed.
error-old-form = This page is out of date.
next-error-old-form = Nothing was done. Go back, load the page again and repeat the last step.
error-no-session = There is no such session.
next-error-no-session = It may have ended already. Look at the list of your sessions again.
error-not-administrator = You may not see this page.
next-error-not-administrator = It is for those who administer this system. If you need it, ask an administrator for the role.

## Portal
main-navigation = Main navigation
my-applications = Applications
my-sessions = Sessions
directory-sync = Directory sync
greeting = Hello, { $name }
portal-lead = Choose where to go; you will not be asked for your password again.
portal-empty = No application is open to you yet. If one should be, ask your manager or the help desk.
sessions-lead = These browsers are signed in as you. End what you do not recognise, and then change your password.
this-session = this browser
session-facts = { $address }, signed in { $opened }, last used { $used }
session-reached = Reached: { $applications }
list-separator = ,{" "}
end-session = End
end-others = End all other sessions
sign-out-everywhere = Sign out everywhere
everywhere-help = Signing out everywhere ends every session, this one too, and takes away what applications were given to act for you.
just-now = just now
minutes-ago = { $number } minutes ago
hours-ago = { $number ->
    [one] one hour ago
   *[other] { $number } hours ago
 }
days-ago = { $number ->
    [one] yesterday
   *[other] { $number } days ago
 }
browser-on = { $browser } on { $system }
browser-unknown = An unknown browser

## Signing out
sign-out = Sign out
sign-out-title = Sign out?
sign-out-lead = You are signed in as { $name }. Signing out ends your session here; every application will ask you to sign in again.
stay-signed-in = No, stay signed in
signed-out = You are signed out
signed-out-lead = On a computer that others use, close the browser, too.
sign-in-anew = Sign in again
signed-out-telling = { $count ->
    [one] One application is being told.
   *[other] { $count } applications are being told.
}
signed-out-frame = Signing out of an application
signed-out-on = Back to the application

## On the way back to an application
form-post-title = Back to the application
form-post-lead = If nothing happens by itself, use the button.
form-post-go = Continue

## Refusals of applications
error-application-unknown = The address you came by names no application that is connected here.
next-error-application-unknown = Open the application again from your applications. If it happens again, tell the people who run it.
error-redirect-uri = The application asked to be answered at an address that is not registered for it. You were not sent there.
next-error-redirect-uri = If you clicked on a link in a message, do not trust it. Otherwise tell the people who run the application.
error-pushed-request = This sign-in was used already, or took too long.
next-error-pushed-request = Go back to the application and begin once more. If it happens at the first try, tell the people who run it: the request_uri is unknown, expired or another application's.
error-request-too-long = The application sent more than your browser can carry through signing in.
next-error-request-too-long = Tell the people who run the application: a request of more than 6,000 bytes has to be pushed (RFC 9126).
integrator = For those who run the application
near-miss-trailing_slash = The address differs from a registered one only in the slash at its end.
near-miss-scheme = The address differs from a registered one only in http and https.
near-miss-case = The address differs from a registered one only in capital and small letters.
near-miss-port = The address differs from a registered one only in its port.
near-miss-fragment = The address holds a fragment (#…), which a redirect URI may not have.
near-miss-encoding = The address differs from a registered one only in its percent-encoding.
integrator-redirect-uri = The redirect_uri of the request has to be registered to the letter. “yaopai app check { $application } --request …” with the whole address of this page says what is different.
integrator-application = The client_id of the request is missing or not registered, or the application is switched off. “yaopai app list” shows those there are.
error-access-denied = You may not use this application.
next-error-access-denied = Your department, position or groups do not give you access. If your work needs it, ask your manager or the help desk for access.
error-operator-application = The recovery administrator cannot sign in to applications.
next-error-operator-application = Sign out here, then sign in with your own company account.
error-sign-out = The application asked to sign you out in a way that cannot be trusted. You are still signed in.
next-error-sign-out = To sign out, go to your applications and choose Sign out there.

## Sign-ins approved elsewhere: devices, requests of applications
device-title = Connect a device
device-lead = Type the code that your device shows.
device-code = Code on the device
device-continue = Continue
device-unknown = This code is not right, or its time is over. Compare it with the device; if it shows a new one, type that.
device-throttled = Too many wrong codes. Wait { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }, then type the code that the device shows.
device-confirm = Let { $name } on the device sign in as you?
device-confirm-lead = Compare the code first. It must be the one that your own device shows at this moment.
device-code-shown = Code on the device
device-permissions = What { $name } may then do
device-asked = Asked { $asked } from { $address }.
device-warning = Did somebody send you this code or this link? Then refuse: whoever has the device would be signed in as you.
device-approve = Yes, sign in on the device
device-refuse = Refuse
device-approved = The device is signed in
device-approved-lead = It goes on by itself within a few seconds. You may close this page.
device-refused = The device was refused
device-refused-lead = Nothing was given to it. If somebody sent you the code, tell your help desk.
requests-title = Requests
requests-lead = Applications ask here whether you want to sign in to them.
requests-none = No application asks you for anything at the moment.
requests-waiting = { $count ->
    [one] An application asks
   *[other] { $count } applications ask
 } you to sign in.
requests-show = Look at it
requests-warning = Approve only what you began yourself, or what somebody in front of you is doing for you. If you do not know why you are asked, refuse.
request-heading = { $name } asks you to sign in
request-message = Must be the same on the other screen
request-approve = Approve
error-no-request = There is no such request.
next-error-no-request = It was decided already, or its time is over. Look at the list of requests again.
may-openid = Know who you are
may-profile = See your name and your login name
may-email = See your mail address
may-phone = See your telephone number
may-org = See your department and your position
may-roles = See your roles in the company
may-offline_access = Stay signed in until you or the company end it, also after you sign out here
may-other = Use what is called “{ $scope }”
## Consent: what an application may know and do
consent-title = { $application } asks for your consent
consent-lead = If you agree, { $application } (at { $host }) may do this in your name:
consent-lead-native = If you agree, { $application } on this device may do this in your name:
consent-more = You agreed to some of this before. { $application } now wants more.
consent-what = What it wants
consent-yes = I agree
consent-no = No
consent-who = You are signed in as { $name } ({ $login }).
consent-other = Use another account
consent-read = What { $application } says itself:
consent-policy = privacy policy
consent-terms = terms of use
consent-later = You can take this back at any time, under
consent-since = Agreed on { $since }
consent-withdraw = Take back
my-consents = Consents
consents-lead = These applications of others may know and do what you agreed to.
consents-help = Taking a consent back ends the application's access to your account at once. What it has copied before, it keeps: ask the people who run it.
consents-empty = You have not agreed to anything. Applications of the company itself do not ask.
error-no-consent = There is no such consent.
next-error-no-consent = It may have been taken back already. Look at the list of your consents again.
wish-openid = Know that it is you when you sign in
wish-profile = Know your name and login name
wish-email = Know your mail address
wish-phone = Know your mobile number
wish-org = Know your employee number, title, departments and position
wish-roles = Know your roles in the company
wish-groups = Know the groups that you belong to
wish-manager = Know who your manager is
wish-offline = Keep its access while you are not signed in
wish-attribute = Know “{ $name }” from your entry in the directory
wish-scope = Use “{ $scope }” in your name

## Test login: what an application would be told
test-login-title = Test sign-in to { $application }
test-login-lead = See what { $application } would be told of you, without anything being issued.
test-login-once = The link works once. Looking at this page does not use it up.
test-login-go = Show me
test-login-shown = This is what { $application } would be told of { $login }.
test-login-allowed = Policy lets you into this application.
test-login-denied = Policy does not let you into this application: at a real sign-in no token would be issued.
test-login-scopes = Granted scopes
test-login-left-out = Left out, because the application may not have them: { $scopes }
test-login-id-token = ID token
test-login-userinfo = UserInfo
test-login-access-token = Access token
test-login-no-openid = None: the scope openid is not granted.
test-login-unsigned = The documents are not signed: nobody can use them.
error-no-test-login = This link cannot be used.
next-error-no-test-login = It works once and for 15 minutes. Make another with “yaopai app test-login”.

## Calls at the gateway: why one is refused (call-why-), and what to do next (call-next-)
call-why-insufficient_user_authentication = The person has not proved strongly or recently enough who they are.
call-next-insufficient_user_authentication = Send the person to sign in again with the acr_values and max_age of the WWW-Authenticate header (RFC 9470), and call with the new token.
call-why-path_too_long = The address of the call is too long.
call-next-path_too_long = Shorten it to less than 8192 bytes, or send the data in the body.
call-why-method_override = The query asks for another method than the one that was sent.
call-next-method_override = Send the method itself and leave out _method.
call-why-ambiguous_path = The path of the call could be read in two ways.
call-next-ambiguous_path = Write it plainly and in the route's spelling: no empty, . or .. segment, no ; or \ and no encoded slash.
call-why-bad_host = The Host header is missing, doubled or not a plain name.
call-next-bad_host = Send one Host header with the name and port you connect to.
call-why-no_route = There is no API at this address.
call-next-no_route = Check host and path; an administrator adds a [[route]] to the configuration.
call-why-method_not_allowed = This API does not take this method.
call-next-method_not_allowed = Use one of the methods in the Allow header.
call-why-unidentified = The call does not say who makes it.
call-next-unidentified = Send an access token in the Authorization header; at a browser, sign in.
call-why-invalid_token = The access token is not accepted: it has expired, was revoked or is not ours.
call-next-invalid_token = Get a new access token and call again.
call-why-bad_proof = The access token is bound to a key, and the call does not prove that it holds it.
call-next-bad_proof = Send Authorization: DPoP with the access token, and one DPoP header made for this call (RFC 9449).
call-why-dpop_nonce = The DPoP proof has to carry the nonce that is given here.
call-next-dpop_nonce = Make a new proof with the value of the DPoP-Nonce header and call again.
call-why-wrong_audience = The access token is meant for another system.
call-next-wrong_audience = Use a token whose audience is this API; an administrator sets audience for application and route.
call-why-bad_authorization = The Authorization header is not one bearer token.
call-next-bad_authorization = Send exactly one header, Authorization: Bearer and the access token.
call-why-two_callers = The access token and the browser's session belong to different people.
call-next-two_callers = Send one of the two, or sign in as the person of the token.
call-why-cross_site = A page of another site made your browser send this call.
call-next-cross_site = Make the call from the application's own page.
call-why-insufficient_scope = The access token lacks a scope that this API demands.
call-next-insufficient_scope = Ask for one of the scopes in the WWW-Authenticate header when you get the token.
call-why-role_missing = You do not have a role that this API demands.
call-next-role_missing = Ask the people who look after the API; roles follow from department, position and groups.
call-why-not_permitted = No policy permits you this call.
call-next-not_permitted = Ask the people who look after the API and tell them the x-request-id of this answer: yaopai policy explain shows them why.
call-why-unavailable = Whether the call is permitted cannot be found out right now.
call-next-unavailable = Try again in a few seconds; if it lasts, tell the administrator the x-request-id of this answer.
call-why-untrusted_proxy = Only a proxy of ours may ask here.
call-next-untrusted_proxy = An administrator adds the proxy's address to server.trusted_proxies.
call-why-proxy_headers = The proxy does not say which call it asks about.
call-next-proxy_headers = An administrator sets X-Original-Method, X-Original-URI and X-Forwarded-Host at the proxy, once each.
call-why-no_upstream = The proxy does not know where this API is.
call-next-no_upstream = An administrator sets upstream for the route.
call-why-upstream_unreachable = The system behind this API cannot be reached.
call-next-upstream_unreachable = Try again in a minute; if it lasts, tell the people who look after it.
call-why-upstream_timeout = The system behind this API did not answer in time.
call-next-upstream_timeout = Find out whether the call took effect before you repeat it.
error-bad-return = This way back is not one of ours.
next-error-bad-return = Open the page that you wanted once more.

## Synchronisation
sync-head = Source { $source }: { $state } ({ $duration }, run { $run })
sync-state-running = under way
sync-state-planned = planned, nothing applied yet
sync-state-held = held by the guard, nothing applied
sync-state-applied = applied
sync-state-unchanged = nothing to do
sync-state-failed = failed, nothing was changed
sync-error = why: { $error }
sync-undoes = takes back plan { $plan }
sync-approved-by = approved by { $who }
sync-column-read = read
sync-column-created = new
sync-column-changed = changed
sync-column-unchanged = unchanged
sync-column-quarantined = left out
sync-column-absent = gone
sync-row-user = people
sync-row-department = departments
sync-row-position = positions
sync-row-group = groups
sync-sum = read = new + changed + unchanged + left out; gone are those the source no longer returns: they are disabled, not deleted.
sync-of-changed = of these { $moved } moved, { $locked } locked out at the source, { $enabled } back
sync-members = memberships: { $added } added, { $removed } removed, { $skipped } unknown and skipped
sync-role = role { $role }: { $granted } gained, { $revoked } lost
sync-ended = ended at once: { $sessions } sessions, { $grants } authorizations with their tokens
sync-moved-out = moved out of scope, of those locked out: { $count }
sync-rehired = back under a new entry: { $count }
sync-deleted = deleted after the grace period: { $count }
sync-gone-more = … and { $count ->
    [one] one more department
   *[other] { $count } more departments
 }
sync-no-department = no department
sync-findings = findings: { $count }
sync-finding-more = … and { $count } more
sync-guard-clear = guard: nothing to hold
sync-guard-held = guard: held, because
sync-held-moved_out = { $actual } people would be locked out because they moved out of scope; the limit is { $limit }
sync-held-rehired = { $actual } people come back under new entries, which is to be approved
sync-held-deleted = { $actual } people are due to be deleted; the limit is { $limit }
sync-held-empty_snapshot = the source returned nobody, { $actual } people are active here
sync-held-scope_changed = base, filter or mapping has changed since the last run: look at the plan first
sync-held-after_undo = the last plan was undone: look whether the source is right now
sync-held-separation = { $actual } people would newly hold both roles of { $about }, which do not go together
sync-plan-head = Plan { $plan }, { $changes } steps, digest { $digest }
sync-step-joined = joined
sync-step-left = left
sync-step-moved = moved
sync-step-changed = changed
sync-step-locked_out = locked out
sync-step-returned = returned
sync-step-role_gained = role gained
sync-step-role_lost = role lost
sync-step-departments = departments
sync-step-positions = positions
sync-step-groups = groups
sync-step-memberships = memberships
sync-more = … { $count } more
sync-next = next: { $command }
sync-seconds = { $seconds } s
sync-step-renamed = renamed
sync-step-departments_moved = departments moved
sync-plan-sum = In all: { $joined } in, { $left } out, { $changed } changed; organisation { $organisation }; roles +{ $gained } −{ $lost }.
sync-nothing = (empty)
sync-approved-first = approved by { $who }; a second person has to approve as well
sync-partly = only a part was taken back: the rest had been changed by something else since
sync-versus = at { $at }
sync-progress-reading = reading
sync-progress-comparing = comparing
sync-progress-applying = applying
sync-or-reject = or reject it: { $command }
sync-rejected = rejected: { $reason }
sync-field-login = login name
sync-field-employee_number = employee number
sync-field-display_name = name
sync-field-given_name = given name
sync-field-family_name = family name
sync-field-mail = mail
sync-field-mobile = mobile
sync-field-title = title
sync-field-department_id = department
sync-field-position_id = position
sync-field-manager_id = manager
sync-field-status = status
sync-field-status_reason = reason
sync-field-password = password
sync-field-code = code
sync-field-name = name
sync-field-parent_id = above it
sync-field-sort_order = order
sync-held-disabled = { $actual } people would be locked out, { $limit } are allowed in one run
sync-held-disabled_percent = { $actual } people would be locked out, { $limit } are allowed for a source of this size
sync-held-disabled_per_day = { $actual } people would be locked out within a day, this plan included; { $limit } are allowed without an approval
sync-held-disabled_per_week = { $actual } people would be locked out within a week, this plan included; { $limit } are allowed without an approval
sync-held-created = { $actual } people would be new, { $limit } are allowed in one run
sync-held-created_percent = { $actual } people would be new, { $limit } are allowed for a source of this size
sync-held-created_per_day = { $actual } people would be new within a day, this plan included; { $limit } are allowed without an approval
sync-held-created_per_week = { $actual } people would be new within a week, this plan included; { $limit } are allowed without an approval
sync-held-departments_removed = { $actual } departments would go, { $limit } are allowed in one run
sync-held-departments_removed_percent = { $actual } departments would go, { $limit } are allowed for so many departments
sync-held-departments_removed_per_day = { $actual } departments would go within a day, this plan included; { $limit } are allowed without an approval
sync-held-departments_removed_per_week = { $actual } departments would go within a week, this plan included; { $limit } are allowed without an approval
sync-held-groups_removed = { $actual } groups would go, { $limit } are allowed in one run
sync-held-groups_removed_percent = { $actual } groups would go, { $limit } are allowed for so many groups
sync-held-groups_removed_per_day = { $actual } groups would go within a day, this plan included; { $limit } are allowed without an approval
sync-held-groups_removed_per_week = { $actual } groups would go within a week, this plan included; { $limit } are allowed without an approval
sync-held-members_removed = group { $about } would lose { $actual } members, { $limit } are allowed in one run
sync-held-members_removed_percent = group { $about } would lose { $actual } members, { $limit } are allowed for a group of this size
sync-held-members_removed_per_day = group { $about } would lose { $actual } members within a day, this plan included; { $limit } are allowed without an approval
sync-held-members_removed_per_week = group { $about } would lose { $actual } members within a week, this plan included; { $limit } are allowed without an approval
sync-held-roles_revoked = { $actual } roles would be taken away, { $limit } are allowed in one run
sync-held-roles_revoked_percent = { $actual } roles would be taken away, { $limit } are allowed for so many roles
sync-held-roles_revoked_per_day = { $actual } roles would be taken away within a day, this plan included; { $limit } are allowed without an approval
sync-held-roles_revoked_per_week = { $actual } roles would be taken away within a week, this plan included; { $limit } are allowed without an approval
sync-held-people = { $actual } people would be active, { $limit } are allowed
sync-held-attribute_changed_percent = { $about } would change for { $actual } people at once, { $limit } are allowed
sync-held-attribute_emptied_percent = { $about } would become empty for { $actual } people at once, { $limit } are allowed: can the service account still read it?
sync-held-protected_group = the protected group { $about } would be touched in { $actual } places
sync-held-protected_role = the protected role { $about } would be given or taken { $actual } times
sync-held-first_run = this is the first run of the source: look whether these are the right people
sync-held-key = { $text } (source.guard: { $key })
## Console
error-run-busy = A run of this source is under way.
next-error-run-busy = Nothing was applied. Wait for the run to end, then look at the plan again.
error-plan-stale = This plan can no longer be applied.
next-error-plan-stale = It had its turn, it expired, or what it was made on has changed since. Make a new plan and look at it.
runs-lead = What was read from the directories, and what came of it.
runs-empty = No source has been synchronised yet. An operator starts the first run with: yaopai sync run --source NAME
runs-count-people = The numbers count people. Open a run for departments, groups, roles and findings.
run-started = Started
run-source = Source
run-state = Result
run-findings = Findings
run-title = Run of { $source }
run-facts = { $kind }, started { $started } by { $by }, took { $duration }.
by-cli = the command line
by-schedule = the schedule
by-administrator = an administrator
plan-held = The guard holds a plan of { $source }.
plan-waits = A plan of { $source } waits to be applied.
plan-until = It may be approved until { $until }; nothing of it has been applied.
plan-look = Look at the plan
plan-title = Plan of { $source }
plan-facts = Made { $made }, digest { $digest }.
plan-run = Report of its run
plan-state-planned = waits to be applied
plan-state-held = held by the guard
plan-state-applied = applied
plan-state-undone = taken back
plan-state-superseded = no longer valid
plan-state-rejected = rejected
plan-rejected-by = Rejected by { $who }.
plan-approved-first = First approved by { $who }.
plan-needs-two = Two different people have to approve this plan.
plan-reject-title = Reject this plan
plan-reject-reason = Why it must not be applied
plan-reject = Reject
plan-all-steps = all steps
plan-all-of-group = All { $count } of them, with what differs
plan-pages = Pages
page-before = Back
page-after = Further
page-of = Page { $number } of { $last }
error-second-person = A second person has to approve this plan.
next-error-second-person = You started the run, or approved it first. Ask another administrator to look at the plan and to approve it.
error-no-reason = A rejection needs a reason.
next-error-no-reason = Go back and say in a few words why the plan must not be applied.
plan-approve-title = Approve this plan?
plan-apply-title = Apply this plan?
plan-approve-lead = Exactly the steps below are applied, at once and in your name; it is written to the audit log. Possible until { $until }.
plan-approve = Approve and apply
plan-apply = Apply
plan-steps = Steps
plan-no-steps = This plan changes nothing.
report-numbers = Numbers
report-adds-up = the numbers add up
report-adds-not-up = the numbers do not add up
report-guard = Guard
report-roles = Roles
report-role = Role
report-findings = Findings
report-finding-entry = Entry
report-gone = Gone, by department
report-department = Department
report-people = People
report-scroll = Swipe sideways to see every column.
report-masters = Who is master of which field
report-field = Field
report-masters-note = People known to several sources, by the source whose value counts.
findings-none = Every entry could be read.

## Console: work list, people, departments, the chart
mail-subject = [{ $organisation }] Directory sync: { $states }
mail-nothing = no run since the last report
mail-page = details: { $url }
tab-runs = Runs
tab-findings = Work list
tab-people = People
tab-departments = Departments
chart-title = The last 30 nights
chart-lead = People new, changed and gone by day, { $most } on the day with the most; the height grows with the root of the number.
chart-summary = { $runs } runs within 30 days, { $held } of them held, { $failed } failed.
chart-night = { $day }: { $runs ->
    [one] one run
   *[other] { $runs } runs
 }, { $created } new, { $changed } changed, { $absent } gone
chart-good = went well
chart-held = held
chart-failed = failed
work-lead = Entries that could not be read, mapped or settled. Every run tries them again; what it no longer finds is resolved by itself.
work-filter = State
work-state-open = open
work-state-accepted = accepted
work-state-resolved = resolved
work-since = seen first { $age }
work-age = for { $days ->
    [one] one day
   *[other] { $days } days
 }
work-owner = { $owner } sees to it
work-accepted = accepted until { $until }: { $reason }
work-decide = Assign or accept
work-owner-login = Login name of who sees to it (empty: nobody)
work-assign = Assign
work-reason = Why it may stay
work-until = Accepted until (last day)
work-accept = Accept
work-reopen = Take up again
work-none = There is nothing to do here.
error-no-finding = There is no such finding any more.
next-error-no-finding = A run may have resolved it meanwhile. Look at the work list again.
error-unknown-owner = Nobody active has this login name.
next-error-unknown-owner = Go back and type the login name of a person who can sign in, or leave it empty.
error-no-acceptance = Accepting a finding needs a reason and a day to come.
next-error-no-acceptance = Go back, say why it may stay, and choose the last day.
people-lead = Who somebody is here, and which entry, rule and run gave them what they have.
people-search = Login name, or its beginning; name; employee number
people-find = Search
people-none = Nobody is called so.
person-active = active
person-disabled = locked out
person-facts = Person
person-roles = Roles, and why
person-rule = rule { $rule }
person-rule-gone = This rule is no longer in roles.toml.
person-run = run
person-no-roles = No role: no rule applies.
person-history = What happened
person-no-history = Nothing is recorded.
person-groups = groups
person-why-absent = Locked out since { $since }: the source no longer returns this person.
person-why-source-disabled = Locked out since { $since }: the source has disabled this person.
person-why-undone = Locked out since { $since }: the run that made the account was taken back.
person-why-other = Locked out since { $since }.
departments-lead = { $departments } departments in use, { $people } active people.
departments-people = { $people ->
    [one] one person
   *[other] { $people } people
 }
departments-none = No source has brought departments yet.

## Findings of a run: what kind (finding-type-), what exactly (finding-), what to do next (finding-next-)
finding-type-rejected-bad_dn = Unreadable name
finding-rejected-bad_dn = The distinguished name of the entry cannot be read.
finding-next-rejected-bad_dn = Correct or rename the entry at the source.
finding-type-rejected-no_id = No stable id
finding-rejected-no_id = The entry has no usable { $attribute }, the attribute that identifies it.
finding-next-rejected-no_id = Let the sync account read this attribute, or name another one as the id in the mapping.
finding-type-rejected-partial_values = Values cut off
finding-rejected-partial_values = The server sent only a part of the values of { $attribute }.
finding-next-rejected-partial_values = Raise the server's limit of values an answer, so that it sends all of them.
finding-type-rejected-conflict_entry = Replication conflict
finding-rejected-conflict_entry = Two servers made an entry with this name at the same time; the directory keeps both apart.
finding-next-rejected-conflict_entry = Decide in the directory which of the two stays, and delete or rename the other.
finding-type-rejected-too_large = Value too large
finding-rejected-too_large = A value of { $attribute } has { $size } bytes; { $limit } are allowed.
finding-next-rejected-too_large = Shorten the value at the source, or take the attribute out of the mapping.
finding-type-rejected-bad_utf8 = Not text
finding-rejected-bad_utf8 = A value of { $attribute } is not UTF-8 text.
finding-next-rejected-bad_utf8 = Correct the value at the source, or take the attribute out of the mapping.
finding-type-rejected-duplicate_id = Same id as another entry
finding-rejected-duplicate_id = The entry { $first } has the same id.
finding-next-rejected-duplicate_id = Give each entry of the file an id of its own.
finding-type-duplicate_id = Returned twice
finding-duplicate_id = The source returned this id twice; the first entry counts.
finding-next-duplicate_id = Look at the source for two entries with this id, and correct one.
finding-type-missing_login = No login name
finding-missing_login = The entry has no value for users.login.
finding-next-missing_login = Enter the login name at the source, or narrow users.filter so that the entry is not read.
finding-type-missing_code = No code
finding-missing_code = The entry has no value for { $key }.
finding-next-missing_code = Enter the value at the source, or map the code to another attribute.
finding-type-duplicate_login = Login name used more than once
finding-duplicate_login = { $count } entries have the login name { $value }; none of them is taken in until one is left.
finding-next-duplicate_login = Change the login name of all but one at the source, or lock the others out there.
finding-type-duplicate_employee_number = Employee number used more than once
finding-duplicate_employee_number = { $count } entries have the employee number { $value }; none of them is taken in until one is left.
finding-next-duplicate_employee_number = Correct the number of all but one at the source, or lock the others out there.
finding-type-duplicate_code = Code used more than once
finding-duplicate_code = Several departments or several groups have the code { $value }; none of them is taken in.
finding-next-duplicate_code = Give each a code of its own at the source, or map the code to another attribute.
finding-type-login_taken = Login name taken
finding-login_taken = The login name { $value } belongs to another account, which this plan does not change.
finding-next-login_taken = Change one of the two login names at its source, or lock the other account out.
finding-type-code_taken = Code taken
finding-code_taken = The code { $value } belongs to another department or group, which this plan does not change.
finding-next-code_taken = Change one of the two codes at the source.
finding-type-unknown_member = Unknown members
finding-unknown_member = { $count ->
    [one] One member names
   *[other] { $count } members name
 } nobody whom the source returned and will be skipped.
finding-next-unknown_member = Remove them from the group at the source, or widen base and filter so that they are read.
finding-type-unknown_manager = Unknown manager
finding-unknown_manager = The manager { $manager } is nobody whom the source returned; the field stays empty.
finding-next-unknown_manager = Enter the present manager at the source, or widen base and filter so that the manager is read.
finding-type-department_left_out = Department left out
finding-department_left_out = The department above (id { $entry }) was left out; the field stays empty.
finding-next-department_left_out = See to the finding of that department first.
finding-type-manager_left_out = Manager left out
finding-manager_left_out = The manager (id { $entry }) was left out; the field stays empty.
finding-next-manager_left_out = See to the finding of that person first.
finding-type-manager_cycle = Managers in a circle
finding-manager_cycle = { $count ->
    [one] One person is their own manager
   *[other] { $count } people are each other's managers in a circle
 }; this is kept as it is.
finding-next-manager_cycle = Correct one of the managers at the source.
finding-type-unusable_password = Unusable password
finding-unusable_password = The password is no Argon2id hash; it is left out, and the person cannot sign in with it.
finding-next-unusable_password = Write an Argon2id hash into the file, or connect the directory itself, which then checks passwords.
finding-type-protected_login = Protected login
finding-protected_login = { $reason ->
    [absent] The source no longer returns this person; the login is protected and stays active.
   *[disabled] The source locks this person out; the login is protected and stays active.
 }
finding-next-protected_login = If the person has left, take the login out of guard.protected; otherwise correct the source.
finding-type-protected_role = Protected role
finding-protected_role = Rule { $rule } no longer gives the role { $role }; the login is protected and keeps it.
finding-next-protected_role = If the role is to go, take the login out of guard.protected; otherwise correct the source or the rule.
finding-type-separation_of_duties = Roles that do not go together
finding-separation_of_duties = { $value } would hold { $role } (pair { $rule }): { $reason }.
finding-next-separation_of_duties = Take one of the roles away at its rule or group, or exempt the person in sod.toml with a last day.
finding-type-bad_date = Not a date
finding-bad_date = “{ $value }” of { $attribute } is not a date such as 2026-12-31; it is left empty.
finding-next-bad_date = Correct the date at the source.
finding-type-bad_assignment = Concurrent assignment not understood
finding-bad_assignment = The concurrent assignment “{ $value }” cannot be read or names a department that is not known; it is left out.
finding-next-bad_assignment = Correct it at the source, or the mapping in [source.assignments].
finding-type-department_cycle = Departments in a circle
finding-department_cycle = { $count ->
    [one] One department is above itself
   *[other] { $count } departments are above each other in a circle
  }; they stay as they were.
finding-next-department_cycle = Correct the parent of one of the departments at the source.
finding-type-unknown_head = Unknown head of department
finding-unknown_head = The head { $value } is nobody whom the source returned; the field stays empty.
finding-next-unknown_head = Enter the present head at the source, or widen base and filter so that the head is read.

## Separation of duties: `yaopai policy sod`
sod-conflict = { $person }: { $pair }, { $state }
sod-block = blocks
sod-warn = warning
sod-exempt = exempt
sod-held = holds { $role } for { $scope }, by rule { $rule }
sod-everywhere = the whole company
sod-note = compensating: { $note }
sod-sum = { $conflicts } conflicts; { $people } people and { $pairs } pairs looked at
finding-type-join_ambiguous = More than one fits
finding-join_ambiguous = More than one person, or more than one entry, answers to “{ $value }”: it is not guessed which is meant.
finding-next-join_ambiguous = Give each person a number or address of their own at the source, or join by something that is unique.
finding-type-join_nobody = Nobody to add to
finding-join_nobody = Nobody answers to “{ $value }”, and this source only adds attributes.
finding-next-join_nobody = Nothing needs to be done if the person is yet to come; otherwise correct the number at one of the sources.
finding-type-join_owned = Belongs to another source
finding-join_owned = The person with “{ $value }” belongs to another source, and join.on_owned wants no contribution.
finding-next-join_owned = Take the entry out of one of the sources, or set on_owned = "contribute".
finding-type-join_protected = Protected person
finding-join_protected = The person with “{ $value }” is protected: no other source may add to them.
finding-next-join_protected = Take the login out of guard.protected, or the entry out of this source.
finding-type-join_disabled = Locked out by the owner
finding-join_disabled = The person with “{ $value }” is known here, and stays locked out by the source that owns them.
finding-next-join_disabled = Let the person in again at the owning source, or hand the account over with `yaopai user hand-over`.
finding-type-rehire_conflict = Old entry still there
finding-rehire_conflict = This new entry carries “{ $value }”, the employee number of an account whose old entry is still at the source, or could not be looked up.
finding-next-rehire_conflict = Delete the old entry, or take the employee number from it; the next run gives the new entry its old account back.
finding-type-moved_out_of_scope = Moved out of scope
finding-moved_out_of_scope = The person is no longer below the configured base or no longer meets the filter; the entry is still at the source.
finding-next-moved_out_of_scope = If the person belongs here, widen base or filter, or move the entry back; `out_of_scope` says what becomes of the account.
finding-type-absence_unconfirmed = Absence not confirmed
finding-absence_unconfirmed = { $count ->
    [one] One person was not returned, and the second look failed ({ $reason }): they stay as they are.
   *[other] { $count } people were not returned, and the second look failed ({ $reason }): they stay as they are.
 }
finding-next-absence_unconfirmed = Look why the source does not answer; the next run looks again.
finding-type-owner_gone = Owner no longer configured
finding-owner_gone = { $count ->
    [one] One active account belongs
   *[other] { $count } active accounts belong
 } to the source “{ $value }”, which is no longer configured: it stays as it is, whatever becomes of the person.
finding-next-owner_gone = Configure the source again, or hand its accounts over with `yaopai user hand-over --from { $value } --to SOURCE`.
finding-type-seen_again = Seen at the second look
finding-seen_again = The person was not returned, and was there when they were looked up: the entry moved while the source was read.
finding-next-seen_again = Nothing needs to be done; the next run reads the entry.

## Faults of sources: `fault-CODE`, with `{ $reason }` and the like being faults themselves
fault-config = { $key }: { $reason }
fault-source = the source could not be read, so nothing was changed: { $reason }
fault-said = { $text }
fault-file = the file `{ $path }` cannot be read: { $cause }; check its name in the configuration and its permissions
fault-ldif = { $path }, line { $line }: { $reason }
fault-file-changed = the file `{ $path }` changed while it was read; write it under another name and rename it into place
fault-table = { $path }: { $reason }
fault-table-line = { $path }, line { $line }: { $reason }
fault-incomplete = the file `{ $path }` is not complete: { $reason }; the next run tries again
fault-no-marker = its marker `{ $marker }` is not there yet
fault-old-marker = its marker `{ $marker }` is older than the file
fault-no-checksum = `{ $file }` holds no SHA-256 checksum (64 hexadecimal digits)
fault-other-checksum = its checksum is not that of `{ $file }`
fault-no-column = the header has no column `{ $column }` (for { $attribute }); it has { $there }; correct source.csv.columns, or the export
fault-two-columns = the header has more than one column `{ $column }` (for { $attribute }); it has { $there }; correct the export
fault-no-row = the file holds a header and no row; was it exported completely?
fault-unequal-row = { $count } fields where the header has { $expected }; was the file copied completely, and is the separator `{ $separator }` right?
fault-encoding = bytes that are no { $name }; name the right one in source.csv.encoding
fault-workbook = no readable Excel workbook ({ $error }); was it copied completely?
fault-no-sheet = no sheet `{ $wanted }`; there are: { $there }
fault-empty-workbook = no sheet at all
fault-cell = a cell holds the error `{ $error }` instead of a value; correct it in the workbook
fault-connect = the LDAP server { $url } cannot be reached: { $reason }; is it running, and does a firewall stand between?
fault-tls = no trusted TLS connection to { $url }: { $reason }
fault-tls-expired = the server's certificate has expired; renew it on the server
fault-tls-not-yet = the server's certificate is not valid yet; compare the clocks of both machines
fault-tls-issuer = the server's certificate is signed by nobody who is trusted here; name its CA in source.ldap.ca_file
fault-tls-name = the server's certificate is for another host name; use a name from it in source.ldap.url
fault-tls-unusable = the server's certificate cannot be used ({ $error }); it must be a version 3 server certificate, not a CA's own
fault-tls-other = { $error }; does the server speak TLS on this port?
fault-tls-hung-up = the server hung up during the handshake; does it speak TLS on this port?
fault-tls-starttls-hung-up = the server hung up instead of starting TLS
fault-tls-starttls-refused = the server refuses StartTLS with { $name } ({ $code }); set it up for TLS, or use ldaps://
fault-tls-no-roots = the system trusts no certification authority; name the server's in source.ldap.ca_file
fault-tls-ca-file = the CA file `{ $path }` cannot be used: { $error }
fault-tls-client-certificate = the client certificate `{ $path }` cannot be used: { $error }
fault-tls-client-key = the client key `{ $path }` cannot be used: { $error }
fault-empty-credentials = the { $what } is empty: an LDAP server would take that for an anonymous bind; set it in source.ldap
fault-bind = { $url } refused the bind as `{ $dn }`: { $reason }
fault-kerberos = { $url }: no bind by Kerberos as `{ $principal }`: { $reason }
fault-kerberos-unknown-principal = the realm knows no principal `{ $principal }`; correct kerberos.principal: the account's name in front of the @, the realm in capital letters behind it
fault-kerberos-unknown-service = the realm knows no service `{ $service }`; use the server's own name in source.ldap.url (not an address, an alias or what reverse DNS says), or set kerberos.service to one of its servicePrincipalNames
fault-kerberos-old-key = the key of `{ $principal }` in the keytab is not the account's any more ({ $said }); export the keytab anew after every change of the password
fault-kerberos-key-expired = the key of `{ $principal }` has expired; set a new password that never expires, and export the keytab anew
fault-kerberos-account-expired = the account `{ $principal }` has come to its expiry date; move it
fault-kerberos-revoked = the account `{ $principal }` is disabled, locked or expired, or may not sign in now; put that right in the directory
fault-kerberos-skew = the clocks of this machine and of the KDC are too far apart ({ $said }); let both follow the same time server
fault-kerberos-another-server = the server cannot read the ticket for `{ $service }` ({ $said }): that name belongs to another account, the server's own key is an old one, or something in between opens TLS; use the server's own name in source.ldap.url
fault-kerberos-encryption = `{ $principal }` and the KDC have no type of encryption in common ({ $said }); allow AES for the account, set its password anew and export the keytab anew
fault-kerberos-no-kdc = no KDC of the realm of `{ $principal }` answers ({ $said }); name it in krb5.conf, or make its DNS records (_kerberos._tcp) and ports 88 reachable
fault-kerberos-keytab = the keytab cannot be used for `{ $principal }` ({ $said }); it must be readable and hold a key of exactly this principal (klist -k shows them)
fault-kerberos-krb5-config = krb5.conf cannot be used: { $said }
fault-kerberos-other = { $said }
fault-kerberos-ended = the program yaopai-kerberos ended before it answered; see whether it starts (`yaopai-kerberos < /dev/null`), and the system's log
fault-kerberos-no-sealing = the server does not encrypt over this connection, which has no TLS; use ldaps://, or starttls = true
fault-kerberos-only-sealing = the server insists on a protection of its own inside of TLS; allow none there, or use ldap:// without starttls
fault-refused = { $name } ({ $code }): { $remedy }
fault-refusal-525 = there is no such account; correct source.ldap.bind_dn
fault-refusal-52e = the name or the password is wrong; correct source.ldap.bind_dn and bind_password
fault-refusal-530 = the account may not sign in at this hour; allow it in the account's logon hours
fault-refusal-531 = the account may not sign in to this server; allow it in the account's `Log On To` list
fault-refusal-532 = the password has expired; set a new one, and let the service account's password never expire
fault-refusal-533 = the account is disabled; enable it
fault-refusal-568 = the account is in more groups than a sign-in can carry; take it out of most of them: it needs none but Domain Users
fault-refusal-80090346 = the server demands that the bind be bound to its TLS channel, and sees another channel or none; let nothing that opens TLS stand between yaopai and the domain controller, and bind by Kerberos or password over ldaps://
fault-refusal-signing = the server takes nothing that is neither signed nor inside of TLS (LDAP signing is required); use ldaps:// or starttls = true
fault-refusal-sasl-in-tls = the server takes no Kerberos inside of TLS; allow it there (Samba: `ldap server require strong auth = allow_sasl_over_tls`), or use ldap:// without starttls, which Kerberos seals
fault-refusal-701 = the account has expired; move its expiry date
fault-refusal-773 = the password must be changed before the first use; clear `User must change password at next logon`
fault-refusal-775 = the account is locked after too many wrong passwords; unlock it and look for who tries them
fault-no-server = none of the { $count } servers can be used: { $reasons }
fault-search = the search below `{ $base }` ended early with { $name } ({ $code }): { $remedy }
fault-search-said = the search below `{ $base }` ended early with { $name } ({ $code }): { $remedy }; the server says `{ $text }`
fault-referral = below `{ $base }` the server refers to another one ({ $to }), so a part of the entries is not here; name that server as a source of its own and its DN in source.ldap.left_out, or choose a base without the reference
fault-broken = the connection to { $url } broke off: { $reason }; try again, and look into the server's log
fault-broken-search = the connection to { $url } broke off during the search below `{ $base }`: { $reason }; try again, and look into the server's log
fault-timeout = { $url } gave no answer for { $seconds } s while { $doing }; is it overloaded? source.ldap.timeout can be raised
fault-behind = { $url } has not received changes yet that were read before: whoever is missing there may be missing only there. Wait until it has caught up; a directory that was restored from a backup has, with the next change that is made in it
fault-malformed = { $url } sent an answer that is malformed ({ $reason }); is it an LDAP server?
fault-stopped = the reader stopped on an answer that it does not understand; the log has the details
fault-remedy-1 = look into the server's log
fault-remedy-2 = the server did not understand the request; look into its log
fault-remedy-3 = raise the server's time limit for the service account
fault-remedy-4 = raise the server's size limit for the service account (OpenLDAP: `limits dn.exact=… size.prtotal=unlimited`), or lower source.ldap.page_size
fault-remedy-7 = the server does not take this kind of bind; switch it on there, or bind in another way (bind_dn and bind_password)
fault-remedy-8 = the server wants TLS; use ldaps:// or starttls = true
fault-remedy-10 = these entries live on another server; name that server in source.ldap.url
fault-remedy-11 = raise the server's limits for the service account
fault-remedy-12 = the server cannot send results in pages and sends no complete answer without
fault-remedy-13 = the server wants TLS; use ldaps:// or starttls = true
fault-remedy-14 = the server wants SASL; give the service account a simple password, or use bind = "external" or a keytab (docs/directories)
fault-remedy-19 = the server has locked the account for a while
fault-remedy-32 = the base does not exist or may not be seen by the service account; correct base_dn or its rights
fault-remedy-34 = the server cannot read the DN; correct it in source.ldap
fault-remedy-48 = the account has no password for a simple bind; give it one
fault-remedy-49 = the DN or the password is wrong; correct source.ldap.bind_dn and bind_password
fault-remedy-50 = give the service account the right to read below the base
fault-remedy-51 = the server is overloaded; the next run tries again
fault-remedy-52 = the server is shutting down or not ready; the next run tries again
fault-remedy-53 = the server's policy forbids it; look into its log
fault-remedy-80 = look into the server's log
fault-remedy-other = look the code up in the server's documentation, and look into its log

## Why changes alone cannot be read, and everything is
fault-known = what is known of the source cannot be read from the database: { $reason }
fault-full-not-supported = this source cannot tell what changed
fault-full-reconfigured = base, filter, mapping or the way of reading changed since the last run
fault-full-expired = the server no longer knows what changed since the last run: { $said }
fault-full-rolled-back = { $server } was set back to an earlier state: it had counted to { $was } changes and is at { $is }; was it restored from a snapshot of its machine? Have the directory's operators look at it
fault-full-restored = { $server } was restored from a backup: it has a new invocation id
fault-full-other-server = { $server } answers now, which is not the server that was read last time
fault-full-subtree-moved = `{ $dn }` came into the base or left it with everything below it
fault-full-too-many = more changed than the server sends at once (result { $code }); its limits for the service account can be raised

## Why a plan is not made, applied, rejected or undone
fault-sync-unknown-source = there is no source `{ $name }`; configured are: { $known }
fault-sync-busy = another run of source `{ $source }` is under way; wait for it to end
fault-sync-role-rules = the role rules cannot be used: { $text }
fault-sync-mapping = the mapping cannot be used: { $text }
fault-sync-database = the database failed: { $text }
fault-sync-nothing-waiting = source `{ $source }` has no plan waiting; make one with `yaopai sync plan --source { $source }`
fault-sync-no-plan = source `{ $source }` has no plan `{ $plan }`
fault-sync-plan-gone = plan `{ $plan }` has had its turn ({ $state }); make a new one with `yaopai sync plan`
fault-sync-plan-expired = plan `{ $plan }` has expired; make a new one with `yaopai sync plan`
fault-sync-ground-moved = the ground of plan `{ $plan }` has moved (another run, other role rules or another mapping since); make a new one
fault-sync-plan-changed = plan `{ $plan }` does not match its digest: it was changed after it was made; make a new one
fault-sync-needs-approval = plan `{ $plan }` is held by the guard; look at it, then add --approve
fault-sync-second-person = plan `{ $plan }` needs the approval of a second person: `{ $first }` is the first
fault-sync-no-grace = source `{ $source }` deletes nobody; say in [source.grace] delete_after how long people stay restorable
fault-sync-not-restorable = `{ $who }` cannot be restored: { $why }
fault-sync-no-reason = a rejection needs a reason
fault-sync-document = a stored document of the plan cannot be read: { $text }
fault-sync-nothing-to-undo = source `{ $source }` has no applied run that could be undone
fault-sync-not-undoable = run `{ $run }` of source `{ $source }` cannot be undone: { $why }
fault-sync-undo-conflicts = undo is refused, these changed since: { $list }; put them right first, or take back the rest with --except-conflicts
fault-sync-undo-unclean = undo is refused, what is left would not fit together: { $list }
fault-sync-not-confirmed = the apply was rolled back: { $what } should be { $expected } and are { $found }

## Runs and plans on the terminal and in mails
sync-facts = { $kind }, started { $started } by { $by }
sync-kind-full = full run
sync-kind-incremental = incremental run
sync-kind-live = live increment
sync-because = everything was read, because { $why }
sync-refused = { $why }: { $said }
sync-follows = a full run follows, because { $why }
sync-full-no_position = nothing tells up to where the source was read before
sync-full-refused = the source cannot be continued from where it was read to
sync-full-settings_changed = base, filter, mapping, role rules or the program changed, or a plan was undone
sync-full-returned = somebody returns whose memberships were kept while they were locked out
sync-full-duplicate = several have, or had, the same login name, number or code
sync-full-department = a department came or went above people whose entries did not change
sync-full-reference = entries refer to others in a way that cannot be judged from a part
sync-full-emptied = the last department or position of its kind may be empty
sync-full-unconfirmed = somebody is said to be gone and could not be looked for a second time
sync-lockout = { $people ->
    [one] one person
   *[other] { $people } people
 } locked out; from the change at the source to the lock-out { $median } in the median, { $longest } at the most ({ $timed ->
    [0] counted from the read: the source does not say when they were changed
    [one] for one the source says when they were changed, else it counts from the read
   *[other] for { $timed } the source says when they were changed, else it counts from the read
 })
sync-minutes = { $minutes } min { $seconds } s
sync-by-department = by department
sync-column-joined = joined
sync-column-left = left
sync-column-moved_in = moved in
sync-column-moved_out = moved out
sync-all-findings = all of them, with whose they are: { $command }
sync-look-closer = look closer: { $command }
sync-waiting = another run of { $source } is under way; waiting for it to end …
sync-no-run = source `{ $source }` has no such run; make one with `yaopai sync run --source { $source }`
sync-person-untouched = the plan does nothing to { $login }
sync-step-nothing = nothing changed at { $source }
sync-step-first = { $source } was never read; begin with: yaopai sync run --source { $source }
sync-step-whole = { $source } cannot tell what changed; it is read whole: yaopai sync run --source { $source }
sync-step-held = nothing of { $source } is read past plan { $plan }, which the guard holds; look at it: yaopai sync show --source { $source } --plan { $plan }
by-dates = dates that have come
mail-run = { $source } { $state }: +{ $created } ~{ $changed } −{ $gone }
mail-failed = { $source } { $state }
mail-decide = look at the plan, and approve or reject it: { $url }
work-age-today = since today
work-assigned = { $count ->
    [one] one finding is
   *[other] { $count } findings are
 } now seen to by { $owner }
work-unassigned = { $count ->
    [one] one finding has
   *[other] { $count } findings have
 } no owner any more
work-accepted-count = { $count ->
    [one] one finding is
   *[other] { $count } findings are
 } accepted until { $until }
work-reopened = { $count ->
    [one] one finding is
   *[other] { $count } findings are
 } open again
work-no-such-day = --until: there is no such day
cli-nobody = nobody has the login name `{ $login }`
cli-unreadable = `{ $file }` cannot be read
recovery-told = recovery administrator: sign in once at { $url } as `{ $login }` with the password { $password }
    It is not shown again; `yaopai recovery new` makes another.
what-if-none = nobody would gain or lose a role
what-if-looked = { $people } people looked at; nothing was written
what-if-role = role { $role }: { $gain } would gain it, { $lose } would lose it
what-if-more = … and { $count } more: --json names everybody
what-if-conflicts = { $new } conflicts would be new, { $gone } would be none any more

## People on the terminal: `yaopai user`
user-id = id
user-since = since
user-employed = employed
user-departments = departments
user-roles = roles
user-source = source
user-entry = entry
user-status-active = active
user-status-disabled = locked out
user-status-deleted = deleted
user-status-why = { $status }, { $why }
user-reason-absent = the source no longer returns them
user-reason-source_disabled = the source has disabled them
user-reason-undone = the run that made the account was taken back
user-reason-out_of_scope = they moved out of base and filter
user-reason-not_started = their first day is to come
user-reason-ended = their last day has passed
user-restored = { $login } may sign in again; the next run computes groups and roles anew
user-due-held = { $actual } people are due, { $limit } may be deleted at once: nobody was deleted
user-deleted = { $count ->
    [one] one person
   *[other] { $count } people
 } deleted
user-handed-over = { $count } accounts of `{ $from }` belong to `{ $to }` now; its next run compares them
user-handed-left = { $count } active accounts stay with `{ $from }`: `{ $to }` does not know them; run it with [source.join] first
why-since = since { $at }
why-since-run = since { $at }, by run { $run }
why-run = run { $run }
why-entry = { $id } of source { $source }
why-adds = { $id } of source { $source } adds to it
why-no-entry = no entry of any source
why-from = from { $source }
why-role = role { $role } by rule { $rule }
why-within = for { $scope } and below
why-acting = as acting for { $whom }
why-besides-also_in = also in
why-besides-heads = heads
why-besides-acts_for = acts for
why-besides-acted_for_by = acted for by
role-holders = { $count } grants of the role { $role } to active people
act-added = { $deputy } acts for { $whom }: { $id }
act-ended = { $id } has ended
act-for = { $deputy } for { $whom }
act-in-force = in force
act-not-in-force = not in force
act-gone = (gone)
act-nobody = nobody acts for anybody
days-from = from { $first }
days-to = to { $last }
days-between = { $first } to { $last }
deputy-not-nobody = Nobody active has the login name “{ $name }”.
deputy-not-same = Nobody acts for themselves: name somebody else.
deputy-not-order = The last day is before the first: turn them around.
deputy-not-past = The last day has passed: choose one to come.
deputy-not-long = A last day is needed, at most { $days } days after the first.
deputy-not-many = Too many deputies are named already: end one first.
deputy-not-reason = The reason is too long: say it in fewer words.
deputy-not-none = There is no such deputy any more: “{ $name }”.

## Fields besides
sync-field-cost_centre = cost centre
sync-field-legal_entity = legal entity
sync-field-head_id = head
sync-field-kind = kind
sync-field-assignments = concurrent assignments
sync-field-starts_on = first day
sync-field-ends_on = last day
sync-field-city = city
sync-field-office = office
sync-field-department = department
sync-field-position = position
sync-field-manager = manager
sync-field-disabled_at = locked out at
sync-field-attributes = further attributes

## Console: runs, roles, organisation
run-state-running = under way
run-state-planned = planned
run-state-held = held
run-state-applied = applied
run-state-unchanged = nothing to do
run-state-failed = failed
report-departments = By department
report-traffic = { $departments } departments with people who came or went
report-to-work-list = Open the work list
tab-roles = Roles
roles-lead = Who has which role, and by which rule.
roles-people = { $people ->
    [one] one person
   *[other] { $people } people
 }
roles-no-rule = No rule of roles.toml gives this role any more.
roles-none = There is no such role.
roles-person = Person
roles-by-rule = Rule
roles-since = Since
departments-head = head: { $head }
departments-kind-company = company
departments-kind-subsidiary = subsidiary
person-why-out-of-scope = Locked out since { $since }: the person moved out of base and filter of the source.
person-why-not-started = Locked out since { $since }: the first day is to come.
person-why-ended = Locked out since { $since }: the last day has passed.

## Deputies: who acts for whom
my-deputies = Deputies
deputies-lead = Who acts for you while you are away, and for whom you act.
deputies-own = Who acts for you
deputies-own-none = Nobody acts for you.
deputies-others = For whom you act
deputies-others-none = You act for nobody.
deputies-now = acts now
deputies-soon = to come
deputies-past = ended
deputies-end = End
deputies-new = Name a deputy
deputies-lent = In these days your deputy has these roles of yours as well:
deputies-lent-none = No rule lends a role of yours to a deputy. Systems still see who acts for you.
deputies-login = Login name of the deputy
deputies-from = First day
deputies-to = Last day
deputies-reason = Reason (optional)
deputies-name = Name the deputy
deputies-prove = A deputy gets rights of yours. Confirm first that it is you.
deputies-prove-go = Type the password again
deputies-operator = The recovery administrator has no deputy.
deputy-not-day = A day cannot be read. Write it like 2026-12-31.
error-no-deputy = There is no such deputy.
next-error-no-deputy = It may have ended already. Look at the list of deputies again.
