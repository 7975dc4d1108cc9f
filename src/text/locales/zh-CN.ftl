## 每个页面
product = 腰牌
skip-to-content = 跳到正文
language = 语言
motto = 一块腰牌，处处通行。
motto-more = 登录一次，公司的每个应用都认得您。
never-share = 请勿将密码告诉任何人，包括服务台人员。
to-portal = 前往我的应用

## 登录
sign-in = 登录
sign-in-title = 登录{ $organisation }
sign-in-lead = 请使用公司账号的登录名和密码。
sign-in-again = 应用要求再次确认您的身份。
login-name = 登录名
password = 密码
sign-in-help = 忘记密码？请联系公司服务台重置。
problem-empty = 请填写登录名和密码。
problem-too-long = 密码过长，请重新输入。
problem-wrong = 登录名或密码不正确，请核对后重试。
problem-wrong-wait = 登录名或密码不正确。失败次数较多，请等待 { $minutes } 分钟后再试。
problem-throttled = 失败次数过多，请等待 { $minutes } 分钟后再试。如非本人操作，请告知服务台。
problem-must-change = 您的密码需要先修改才能使用。请在公司指定的地方修改（或联系服务台），再用新密码登录。
problem-directory = 暂时无法连接公司目录，目前无法核对任何人的密码。请一分钟后重试；如仍不行，请告知服务台。
problem-busy = 此刻登录的人很多，请几秒钟后重试。

## 拒绝
error-title = 无法继续
error-request = 请求编号 { $id }：联系服务台时请提供此编号。
error-internal = 我们这边出了问题。
next-error-internal = 请稍后重试。如再次出现，请把下面的编号告知服务台。
error-not-found = 没有这个页面。
next-error-not-found = 请检查网址，或从我的应用开始。
error-method = 此页面不能这样使用。
next-error-method = 请返回并使用页面上的按钮。
error-no-cookies = 浏览器没有保存 Cookie。
next-error-no-cookies = 请允许本站使用 Cookie，重新打开登录页后再登录。如果页面打开了很久，重新打开即可。
error-cross-site = 此请求来自其他网站。
next-error-cross-site = 未执行任何操作。如确有需要，请在本站打开页面并使用其按钮。
error-bad-request = 无法理解此请求。
next-error-bad-request = 请返回，重新打开页面并使用其按钮。
error-too-large = 表单内容过长。
next-error-too-large = 请返回并缩短所填内容。
error-old-form = 页面已过期。
next-error-old-form = 未执行任何操作。请返回并重新加载页面，再重复上一步。
error-no-session = 没有这个会话。
next-error-no-session = 它可能已经结束。请重新查看您的会话列表。
error-not-administrator = 您无权查看此页面。
next-error-not-administrator = 此页面仅供系统管理人员使用。如有需要，请向管理员申请相应角色。

## 门户
main-navigation = 主导航
my-applications = 应用
my-sessions = 会话
directory-sync = 目录同步
greeting = { $name }，您好
portal-lead = 选择要进入的应用，无需再次输入密码。
portal-empty = 目前还没有向您开放的应用。如应当有，请联系您的主管或服务台。
sessions-lead = 以下浏览器正以您的身份登录。请结束您不认识的会话，并随后修改密码。
this-session = 本浏览器
session-facts = { $address }，{ $opened } 登录，最近使用：{ $used }
session-reached = 已进入：{ $applications }
list-separator = 、
end-session = 结束
end-others = 结束其他所有会话
sign-out-everywhere = 在所有设备上退出
everywhere-help = 在所有设备上退出会结束包括本会话在内的所有会话，并收回各应用代表您操作的授权。
just-now = 刚刚
minutes-ago = { $number } 分钟前
hours-ago = { $number } 小时前
days-ago = { $number } 天前
browser-on = { $system } 上的 { $browser }
browser-unknown = 未知浏览器

## 退出
sign-out = 退出
sign-out-title = 确定退出吗？
sign-out-lead = 您当前以 { $name } 的身份登录。退出后本次会话结束，各应用将要求重新登录。
stay-signed-in = 不，保持登录
signed-out = 您已退出
signed-out-lead = 如果是公用电脑，请同时关闭浏览器。
sign-in-anew = 重新登录

## 应用的拒绝
error-application-unknown = 您来时的地址没有对应任何已接入的应用。
next-error-application-unknown = 请从“我的应用”重新打开该应用。如果仍然如此，请告知该应用的负责人。
error-redirect-uri = 该应用要求把结果送到一个没有为它登记的地址，因此没有把您送过去。
next-error-redirect-uri = 如果您是点击消息中的链接来到这里，请不要相信该链接；否则请告知该应用的负责人。
error-access-denied = 您不能使用这个应用。
next-error-access-denied = 您的部门、职位或所在的组没有使用权限。如果工作需要，请向您的主管或服务台申请。
error-operator-application = 恢复管理员不能登录应用。
next-error-operator-application = 请先在这里退出登录，再用您自己的公司账号登录。
error-sign-out = 该应用请求让您退出登录的方式不可信。您仍处于登录状态。
next-error-sign-out = 如需退出登录，请到“我的应用”中选择“退出登录”。
