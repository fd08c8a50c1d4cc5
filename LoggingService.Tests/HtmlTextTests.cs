using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A message whose only text is HTML is shown as that text.</summary>
public class HtmlTextTests
{
    [Theory]
    [InlineData("<p>one</p><p>two</p>", "one␊two")]
    [InlineData("one<br>two<br/>three", "one␊two␊three")]
    [InlineData("<ul>\n<li>one</li>\n<li>two &amp; three</li></ul>", "• one␊• two & three")]
    [InlineData("<a href='https://x.org/?a=1&amp;b=2'>here</a>!", "here (https://x.org/?a=1&b=2)!")]
    [InlineData("<a class=\"b\" HREF=https://x.org>here</a>", "here (https://x.org)")]
    [InlineData("<a href=\"https://x.org\">https://x.org</a>", "https://x.org")]
    [InlineData("<a href=\"https://x.org\"></a>", "https://x.org")]
    [InlineData("<a name=\"href=x\">here</a>", "here")]
    [InlineData("<a href=\"a\">one<p><a href=\"b\">two", "one (a)␊two (b)")]
    [InlineData("<a href=\"a\"><p>one</p></a>", "one (a)")]
    [InlineData("<a title=\"x href=y\" href = \"a\">one</a>", "one (a)")]
    [InlineData("<a href=\"a>one", "one (a)")]
    [InlineData("<mx-reply><blockquote>words<p>of <b>others</b></blockquote></mx-reply>mine", "mine")]
    [InlineData("see <span data-mx-spoiler=\"end\">he <span>dies</span></span>.", "see (spoiler).")]
    [InlineData("see <span data-mx-spoiler>he<br><b>di<img src=\"x\"/>es</b></span>.", "see (spoiler).")]
    [InlineData("see <span data-mx-spoiler><div></span>he dies</div></span>.", "see (spoiler)")]
    [InlineData("see <span data-mx-spoiler><p></span>he dies", "see (spoiler)")]
    [InlineData("see <span data-mx-spoiler></span:x>he dies</span>.", "see (spoiler)")]
    [InlineData("see <span data-mx-spoiler><!x </span>he dies</span>.", "see (spoiler)")]
    [InlineData("<strong data-mx-profile-fallback>Carol: </strong>hi", "hi")]
    [InlineData("<style>p { color: red }</style><!-- <b>x</b> -->a < b", "a < b")]
    [InlineData("<img alt=\"a > b\" src=\"mxc://x/a\"> <img title='two'>", "a > b two")]
    [InlineData("<pre><code>if x:\n  y\n</code></pre>", "if x:␊  y")]
    [InlineData("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b␊c")]
    [InlineData("<a \"unclosed>text</a>", "text")]
    [InlineData("</pre></a>text<", "text<")]
    [InlineData("&#x202E;text\u001b", "\\u{202E}text␛")]
    public void HTML_becomes_text_with_the_targets_of_links(string html, string text) =>
        Assert.Equal($"<@bob:x> {text}", LineOf.Bobs("m.room.message", Html(html)));

    [Theory]
    [InlineData("""{"msgtype":"m.text","body":"plain","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""", "<@bob:x> plain")]
    [InlineData("""{"msgtype":"m.text","body":"\u00a0","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""", "<@bob:x> x")]
    [InlineData("""{"msgtype":"m.text","body":"","format":"org.matrix.custom.html","formatted_body":"<br>&nbsp;"}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","body":"","format":"other","formatted_body":"<b>x</b>"}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","body":"","format":"org.matrix.custom.html","formatted_body":5}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""", "<@bob:x> x")]
    [InlineData("""{"msgtype":"m.notice","body":"","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""", "-@bob:x- x")]
    [InlineData("""{"msgtype":"m.emote","body":"","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""", "* @bob:x x")]
    [InlineData(
        """{"msgtype":"m.image","body":"","filename":"a.png","format":"org.matrix.custom.html","formatted_body":"<b>x</b>"}""",
        "<@bob:x, image a.png> x")]
    public void HTML_counts_where_the_body_is_blank_in_any_kind_of_message(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Fact]
    public void Edits_and_quotes_show_it_too()
    {
        var message = LineOf.Event("@alice:x", "m.room.message", Html("<b>build</b> failed"));
        Assert.Equal(
            "<@bob:x, to @alice:x 19:20:11 \"build failed\"> again?",
            LineOf.Bobs(
                "m.room.message", """{"msgtype":"m.text","body":"again?","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""",
                message));
        Assert.Equal(
            "<@bob:x, edit of $e> new",
            LineOf.Bobs(
                "m.room.message",
                $$$"""{"body":"","m.new_content":{{{Html("<i>new</i>")}}},"m.relates_to":{"rel_type":"m.replace","event_id":"$e"}}"""));
    }

    [Fact]
    public void Malformed_HTML_of_any_size_takes_linear_time()
    {
        foreach (var part in new[] { "<a \"", "<!--", "<a href", "<span data-mx-spoiler>", "<pre>", "</a>", "&", "<" })
        {
            var html = string.Concat(Enumerable.Repeat(part, 60_000 / part.Length));
            Assert.StartsWith("<@bob:x", LineOf.Bobs("m.room.message", Html(html)), StringComparison.Ordinal);
        }
    }

    private static string Html(string html) =>
        $$"""{"msgtype":"m.text","body":"","format":"org.matrix.custom.html","formatted_body":{{JsonSerializer.Serialize(html)}}}""";
}
