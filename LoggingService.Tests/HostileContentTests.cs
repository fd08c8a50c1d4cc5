using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Every value of every kind of event replaced by what nobody expects there.</summary>
public partial class HostileContentTests
{
    private const string Fake = "x\\\", y\", z> FAKE (a): \n*** @alice:x FAKE\u2028\u202E";

    public static TheoryData<string, string> Kinds => new()
    {
        { "m.room.message", """{"msgtype":"m.text","body":"x","com.beeper.per_message_profile":{"displayname":"x","has_fallback":true},"m.relates_to":{"rel_type":"m.thread","event_id":"$theirs","is_falling_back":false,"m.in_reply_to":{"event_id":"$theirs"}}}""" },
        { "m.room.message", """{"msgtype":"m.image","body":"x","filename":"y","url":"mxc://x/a","file":{"url":"mxc://x/a"},"info":{"w":1,"h":1,"size":1,"duration":1},"org.matrix.msc3245.voice":{},"org.matrix.msc1767.audio":{"duration":1}}""" },
        { "m.room.message", """{"msgtype":"m.text","body":"x","m.new_content":{"msgtype":"m.text","body":"x"},"m.relates_to":{"rel_type":"m.replace","event_id":"$theirs"}}""" },
        { "m.room.message", """{"msgtype":"m.location","body":"x","geo_uri":"geo:1,2","org.matrix.msc3488.location":{"uri":"geo:1,2"}}""" },
        { "m.room.message", """{"msgtype":"m.key.verification.request","body":"x","to":"@alice:x"}""" },
        { "m.sticker", """{"body":"x","url":"mxc://x/a","info":{"w":1,"h":1}}""" },
        { "m.room.encrypted", """{"algorithm":"m.megolm","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""" },
        { "m.room.redaction", """{"redacts":"$theirs","reason":"x"}""" },
        { "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"mxc://x/a"},"shortcode":"x"}""" },
        { "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"x"}}""" },
        { "m.poll.start", """{"m.poll":{"max_selections":2,"question":{"m.text":[{"mimetype":"text/plain","body":"x"}]},"answers":[{"m.id":"a","m.text":[{"body":"x"}]}]}}""" },
        { "org.matrix.msc3381.poll.start", """{"org.matrix.msc3381.poll.start":{"question":{"org.matrix.msc1767.text":"x"},"answers":[{"id":"a","org.matrix.msc1767.text":"x"}]}}""" },
        { "m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"},"m.selections":["a"]}""" },
        { "m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"x"}]}""" },
        { "m.beacon", """{"m.location":{"uri":"geo:1,2","description":"x"}}""" },
        { "m.call.invite", """{"call_id":"1","version":"1","invitee":"@alice:x","offer":{"type":"offer","sdp":"m=video"}}""" },
        { "m.call.hangup", """{"call_id":"1","version":0,"reason":"user_busy"}""" },
        { "m.rtc.member", """{"application":{"type":"m.call"},"sticky_key":"s"}""" },
        { "m.rtc.member", """{"sticky_key":"s","disconnect_reason":"x"}""" },
        { "m.rtc.notification", """{"notification_type":"ring"}""" },
        { "m.rtc.decline", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"}}""" },
        { "m.key.verification.cancel", """{"code":"m.user","reason":"x","m.relates_to":{}}""" },
        { "m.message", """{"m.text":[{"mimetype":"text/plain","body":"x"}],"m.automated":false}""" },
        { "m.video", """{"m.text":[{"body":"x"}],"m.file":{"url":"mxc://x/a","name":"x","size":1},"m.video_details":{"width":1,"height":1,"duration":1},"m.caption":{"m.text":[{"body":"x"}]}}""" },
        { "m.location", """{"m.text":[{"body":"x"}],"m.location":{"uri":"geo:1,2"}}""" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nothing_that_stands_where_something_else_should_stops_the_log(string type, string content)
    {
        string[] wrong = ["null", "true", "[]", "{}", "[[1]]", "{\"a\":1}", "\"\"", "\"\\ud800\"", "-1", "1e400", "9223372036854775807"];
        foreach (var changed in wrong.SelectMany(value => Changed(content, value)))
        {
            Assert.Matches("^(<|-|\\* |\\*\\*\\* )@bob:x", LineOf.Bobs(type, changed));

            // The same as what others refer to.
            var target = LineOf.Event("@alice:x", type, changed);
            Assert.StartsWith("*** @bob:x reacted \"👍\" to ", LineOf.Bobs("m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"👍"}}""", target), StringComparison.Ordinal);
            Assert.StartsWith("*** @bob:x removed the ", LineOf.Bobs("m.room.redaction", """{"redacts":"$theirs"}""", target), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nobodys_words_end_a_head_or_quotes(string type, string content)
    {
        foreach (var changed in Changed(content, JsonValue.Create(Fake).ToJsonString()).Append(content))
        {
            AssertSpeaksForItself(LineOf.Bobs(type, changed, LineOf.Event("@alice:x", "m.room.message", new JsonObject { ["msgtype"] = "m.text", ["body"] = Fake }.ToJsonString())));
            AssertSpeaksForItself(LineOf.Bobs("m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"👍"}}""", LineOf.Event("@alice:x", type, changed)));
        }
    }

    private static void AssertSpeaksForItself(string line)
    {
        Assert.DoesNotMatch("[\n\u2028\u202E]", line);

        // What the service says: outside of quotes, and before the first bracket that closes.
        var said = Quoted().Replace(line, "");
        Assert.DoesNotContain(" FAKE", said.StartsWith('<') ? said[..(said.IndexOf('>', StringComparison.Ordinal) + 1)] : said, StringComparison.Ordinal);
    }

    /// <summary>The content, each time with another one of its values replaced.</summary>
    private static IEnumerable<string> Changed(string content, string value)
    {
        var count = Values(JsonNode.Parse(content)!).Count();
        for (var i = 0; i < count; i++)
        {
            var root = JsonNode.Parse(content)!;
            Values(root).ElementAt(i).ReplaceWith(JsonNode.Parse("\"REPLACED\""));
            yield return root.ToJsonString().Replace("\"REPLACED\"", value, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<JsonNode> Values(JsonNode node)
    {
        var children = node switch
        {
            JsonObject o => o.Select(static pair => pair.Value!),
            JsonArray a => a.Select(static item => item!),
            _ => [],
        };
        return children.SelectMany(static child => Values(child).Prepend(child));
    }

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""")]
    private static partial Regex Quoted();
}
