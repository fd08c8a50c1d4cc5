using System.Text.Json.Nodes;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Every value of every kind of event replaced by unexpected ones.</summary>
public class HostileContentTests
{
    private const string Fake = "x\\\", y\", z> FAKE (a): \n*** @alice:x FAKE\u2028\u202E";
    private const string Harmless = "x, y";
    private const string Reaction = """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"👍"}}""";

    public static TheoryData<string, string, string?> Kinds => new()
    {
        {
            "m.room.message",
            """{"msgtype":"m.text","body":"x","com.beeper.per_message_profile":{"displayname":"x","has_fallback":true},"m.relates_to":"""
                + """{"rel_type":"m.thread","event_id":"$theirs","is_falling_back":false,"m.in_reply_to":{"event_id":"$theirs"}}}""",
            null
        },
        {
            "m.room.message",
            """{"msgtype":"m.image","body":"x","filename":"y","url":"mxc://x/a","file":{"url":"mxc://x/a"},"info":{"w":1,"h":1,"size":1"""
                + ""","duration":1},"org.matrix.msc3245.voice":{},"org.matrix.msc1767.audio":{"duration":1}}""",
            null
        },
        {
            "m.room.message",
            """{"msgtype":"m.text","body":"x","m.new_content":{"msgtype":"m.text","body":"x"},"m.relates_to":"""
                + """{"rel_type":"m.replace","event_id":"$theirs"}}""",
            null
        },
        {
            "m.room.message", """{"msgtype":"m.location","body":"x","geo_uri":"geo:1,2","org.matrix.msc3488.location":{"uri":"geo:1,2"}}""",
            null
        },
        { "m.room.message", """{"msgtype":"m.key.verification.request","body":"x","to":"@alice:x"}""", null },
        { "m.sticker", """{"body":"x","url":"mxc://x/a","info":{"w":1,"h":1}}""", null },
        { "m.room.encrypted", """{"algorithm":"m.megolm","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""", null },
        { "m.room.redaction", """{"redacts":"$theirs","reason":"x"}""", null },
        { "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"mxc://x/a"},"shortcode":"x"}""", null },
        { "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"x"}}""", null },
        {
            "m.poll.start",
            """{"m.poll":{"max_selections":2,"question":{"m.text":[{"mimetype":"text/plain","body":"x"}]},"answers":"""
                + """[{"m.id":"a","m.text":[{"body":"x"}]}]}}""",
            null
        },
        {
            "org.matrix.msc3381.poll.start",
            """{"org.matrix.msc3381.poll.start":{"question":{"org.matrix.msc1767.text":"x"},"answers":"""
                + """[{"id":"a","org.matrix.msc1767.text":"x"}]}}""",
            null
        },
        { "m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"},"m.selections":["a"]}""", null },
        { "m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"x"}]}""", null },
        { "m.beacon", """{"m.location":{"uri":"geo:1,2","description":"x"}}""", null },
        { "m.call.invite", """{"call_id":"1","version":"1","invitee":"@alice:x","offer":{"type":"offer","sdp":"m=video"}}""", null },
        { "m.call.hangup", """{"call_id":"1","version":0,"reason":"user_busy"}""", null },
        { "m.rtc.member", """{"application":{"type":"m.call"},"sticky_key":"s"}""", null },
        { "m.rtc.member", """{"sticky_key":"s","disconnect_reason":"x"}""", null },
        { "m.rtc.notification", """{"notification_type":"ring"}""", null },
        { "m.rtc.decline", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"}}""", null },
        { "m.key.verification.cancel", """{"code":"m.user","reason":"x","m.relates_to":{}}""", null },
        { "m.message", """{"m.text":[{"mimetype":"text/plain","body":"x"}],"m.automated":false}""", null },
        {
            "m.video",
            """{"m.text":[{"body":"x"}],"m.file":{"url":"mxc://x/a","name":"x","size":1},"m.video_details":{"width":1,"height":1"""
                + ""","duration":1},"m.caption":{"m.text":[{"body":"x"}]}}""",
            null
        },
        { "m.location", """{"m.text":[{"body":"x"}],"m.location":{"uri":"geo:1,2"}}""", null },
        { "m.room.member", """{"membership":"join","displayname":"x","join_authorised_via_users_server":"@alice:x"}""", "@bob:x" },
        { "m.room.member", """{"membership":"invite","reason":"x","third_party_invite":{"display_name":"x"}}""", "@carol:x" },
        {
            "m.room.create",
            """{"room_version":"12","type":"x","creator":"@c:x","additional_creators":["@c:x","@d:x"],"predecessor":{"room_id":"!a:x"}}""",
            ""
        },
        { "m.room.name", """{"name":"x"}""", "" },
        { "m.room.topic", """{"topic":"x","m.topic":{"m.text":[{"body":"x"}]}}""", "" },
        { "m.room.join_rules", """{"join_rule":"restricted","allow":[{"type":"m.room_membership","room_id":"!a:x"},{"type":"x"}]}""", "" },
        { "m.room.history_visibility", """{"history_visibility":"x"}""", "" },
        { "m.room.guest_access", """{"guest_access":"x"}""", "" },
        { "m.room.power_levels", """{"users":{"@c:x":50},"events":{"m.x.y":50},"notifications":{"x":1},"x":1}""", "" },
        { "m.room.server_acl", """{"allow":["a.x"],"deny":["b.x"]}""", "" },
        { "m.room.canonical_alias", """{"alias":"#a:x","alt_aliases":["#b:x"]}""", "" },
        { "m.room.aliases", """{"aliases":["#a:y"]}""", "y.x" },
        { "m.room.tombstone", """{"body":"x","replacement_room":"!a:x"}""", "" },
        { "m.room.third_party_invite", """{"display_name":"x"}""", "token" },
        { "m.room.policy", """{"via":"policy.x"}""", "" },
        { "m.policy.rule.user", """{"entity":"x","recommendation":"x","reason":"x"}""", "k" },
        { "m.policy.rule.server", "{}", "k" },
        { "m.space.child", """{"via":["x"],"suggested":true}""", "!child:x" },
        { "m.space.parent", """{"via":["x"],"canonical":true}""", "!space:x" },
        { "m.room.image_pack", """{"pack":{"display_name":"x"},"images":{"a":{}}}""", "p" },
        { "m.widget", """{"name":"x","type":"x","url":"x"}""", "w" },
        { "m.call", """{"m.type":"m.voice","m.name":"x"}""", "c" },
        { "m.call.member", """{"leave_reason":"x"}""", "@bob:x" },
        { "m.rtc.slot", """{"application":{"type":"m.call"}}""", "s" },
        { "m.beacon_info", """{"live":true,"timeout":1000,"description":"x"}""", "@bob:x" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_unexpected_value_prevents_a_line(string type, string content, string? stateKey)
    {
        string[] wrong = ["null", "true", "[]", "{}", "[[1]]", "{\"a\":1}", "\"\"", "\"\\ud800\"", "-1", "1e400", "9223372036854775807"];
        foreach (var changed in wrong.SelectMany(value => Changed(content, value)))
        {
            Assert.Matches("^(<|-|\\* |\\*\\*\\* )@(bob|carol):x", LineOf.After(Event("@bob:x", type, changed, stateKey)));

            // The same event as the target of others.
            var target = Event("@alice:x", type, changed, stateKey);
            Assert.Matches("^\\*\\*\\* @bob:x reacted \"👍\" (to .|in the call$)", LineOf.Bobs("m.reaction", Reaction, target));
            Assert.StartsWith(
                "*** @bob:x removed the ", LineOf.Bobs("m.room.redaction", """{"redacts":"$theirs"}""", target), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_text_ends_a_head_or_quotes(string type, string content, string? stateKey)
    {
        // Plain, and with the prefixes of ids and addresses, which are shown without quotes.
        foreach (var beginning in new[] { "", "@", "$", "!", "#", "mxc://", "geo:" })
            Assert.Equal(Lines(beginning + Harmless), Lines(beginning + Fake));

        List<string> Lines(string words)
        {
            var original = LineOf.Event(
                "@alice:x", "m.room.message", new JsonObject { ["msgtype"] = "m.text", ["body"] = words }.ToJsonString());
            var lines = new List<string>();
            foreach (var changed in Changed(content, JsonValue.Create(words).ToJsonString()).Append(content))
            {
                lines.Add(LineOf.After(Event("@bob:x", type, changed, stateKey), original));
                lines.Add(LineOf.Bobs("m.reaction", Reaction, Event("@alice:x", type, changed, stateKey)));
            }

            Assert.DoesNotContain(lines, static line => line.IndexOfAny(['\n', '\u2028', '\u202E']) >= 0);
            return lines.ConvertAll(LogFormat.WithoutUserText);
        }
    }

    private static RoomEvent Event(string sender, string type, string content, string? stateKey) =>
        LineOf.Event(sender, type, content, stateKey is null ? "\"age\":1" : $"\"state_key\":\"{stateKey}\"");

    /// <summary>The content with each of its values replaced in turn.</summary>
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
}
