using System.Globalization;
using System.Text;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class LogLineTests
{
    // 2026-11-23 19:20:11 UTC
    private const long Now = 1795461611000;
    private const string Hello =
        """{"event_id":"$hello","room_id":"!r:x","type":"m.room.message","sender":"@alice:x","origin_server_ts":1795461611000,"content":"""
            + """{"msgtype":"m.text","body":"hello"}}""";
    private static readonly RoomHistory Nothing = new FixedHistory(_ => null, (_, _) => null);

    [Theory]
    [InlineData("""{"msgtype":"m.text","body":"hello"}""", "<@bob:x> hello")]
    [InlineData("""{"msgtype":"m.text","body":""}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","body":"   "}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","body":"\u00a0\u2800\u3000 \u2003"}""", "<@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.image","body":"\u3000","filename":"a.png"}""", "<@bob:x, image a.png>")]
    [InlineData("""{"msgtype":"m.text","body":"\n"}""", "<@bob:x> ␊")]
    [InlineData("""{"msgtype":"m.notice","body":""}""", "-@bob:x, empty-")]
    [InlineData("""{"msgtype":"m.emote","body":""}""", "* <@bob:x, empty>")]
    [InlineData("""{"msgtype":"m.text","body":"","m.relates_to":{"m.in_reply_to":{"event_id":"$e"}}}""", "<@bob:x, to $e, empty>")]
    [InlineData("""{"msgtype":"m.notice","body":"build passed"}""", "-@bob:x- build passed")]
    [InlineData("""{"msgtype":"m.emote","body":"waves"}""", "* @bob:x waves")]
    [InlineData(
        """{"msgtype":"m.server_notice","body":"full","server_notice_type":"m.server_notice.usage_limit_reached"}""",
        "<@bob:x, of type \"m.server_notice\"> full")]
    [InlineData("""{"msgtype":"com.example.custom","body":"words"}""", "<@bob:x, of type \"com.example.custom\"> words")]
    [InlineData("""{"body":"words"}""", "<@bob:x, of no type> words")]
    public void Each_kind_of_message_has_its_form(string content, string line) => Assert.Equal(line, Render("m.room.message", content));

    [Theory]
    [InlineData("soft_failed\":true", "soft-failed")]
    [InlineData("policy_server_spammy\":true", "marked as spam")]
    [InlineData("soft_failed\":true,\"io.element.synapse.policy_server_spammy\":true", "soft-failed, marked as spam")]
    public void What_the_homeserver_says_about_an_event_is_in_the_head(string key, string notice)
    {
        var unsigned = $"\"unsigned\":{{\"io.element.synapse.{key}}}";
        Assert.Equal($"<@bob:x, {notice}> hi", Of("m.room.message", """{"msgtype":"m.text","body":"hi"}"""));
        Assert.Equal($"-@bob:x, {notice}- hi", Of("m.room.message", """{"msgtype":"m.notice","body":"hi"}"""));
        Assert.Equal($"* <@bob:x, {notice}> waves", Of("m.room.message", """{"msgtype":"m.emote","body":"waves"}"""));
        Assert.Equal(
            $"<@bob:x, {notice}, to $e> hi",
            Of("m.room.message", """{"msgtype":"m.text","body":"hi","m.relates_to":{"m.in_reply_to":{"event_id":"$e"}}}"""));
        Assert.Equal(
            $"*** ({notice}) @bob:x reacted \"👍\" to $e",
            Of("m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e","key":"👍"}}"""));
        Assert.Equal($"*** ({notice}) @bob:x com.example.thing {{}}", Of("com.example.thing", "{}"));

        string Of(string type, string content) => LineOf.After(LineOf.Event("@bob:x", type, content, unsigned));
    }

    [Theory]
    [InlineData("soft_failed\":false")]
    [InlineData("soft_failed\":\"true\"")]
    [InlineData("other\":true")]
    public void Other_keys_of_the_homeserver_are_ignored(string key) =>
        Assert.Equal(
            "<@bob:x> hi",
            LineOf.After(
                LineOf.Event(
                    "@bob:x", "m.room.message", """{"msgtype":"m.text","body":"hi"}""",
                    $"\"unsigned\":{{\"io.element.synapse.{key}}}")));

    [Fact]
    public void An_encrypted_message_is_rendered_without_its_ciphertext()
    {
        Assert.Equal("<@bob:x, encrypted: cannot be logged>", Render("m.room.encrypted", """{"algorithm":"m.megolm","ciphertext":"x"}"""));
        Assert.Equal(
            "<@bob:x, edit of 19:20:11, encrypted: cannot be logged>",
            Line(
                "m.room.encrypted", """{"algorithm":"m.megolm","m.relates_to":{"rel_type":"m.replace","event_id":"$mine"}}""",
                Mine("m.room.encrypted")));
    }

    [Theory]
    [InlineData("m.room.name", """{"name":"Kitchen"}""", "", "set the room name to \"Kitchen\"")]
    [InlineData("m.room.name", """{"name":"B"}""", """{"name":"A"}""", "changed the room name from \"A\" to \"B\"")]
    [InlineData("m.room.name", """{"name":""}""", """{"name":"A"}""", "removed the room name \"A\"")]
    [InlineData("m.room.name", """{}""", "", "removed the room name")]
    [InlineData("m.room.topic", """{"topic":"a\nb"}""", "", "set the topic to \"a␊b\"")]
    [InlineData(
        "m.room.topic", """{"topic":"old","m.topic":{"m.text":[{"mimetype":"text/html","body":"<b>"},{"body":"plain"}]}}""", "",
        "set the topic to \"plain\"")]
    [InlineData("m.room.topic", """{"topic":""}""", "", "removed the topic")]
    public void Changes_of_name_and_topic_have_sentences(string type, string content, string previous, string sentence)
    {
        var more = "\"state_key\":\"\"" + (previous.Length == 0 ? "" : $",\"unsigned\":{{\"prev_content\":{previous}}}");
        Assert.Equal($"*** @bob:x {sentence}", LineOf.Render(Event(type, content, more), Nothing, TimeZoneInfo.Utc, null));
    }

    [Theory]
    [InlineData("com.example.thing", """{ "compact" : "content" }""", "", "com.example.thing {\"compact\":\"content\"}")]
    [InlineData(
        "m.room.retention", """{"max_lifetime":86400000}""", "\"state_key\":\"\"", "m.room.retention [\"\"] {\"max_lifetime\":86400000}")]
    [InlineData(
        "org.matrix.msc1763.retention", """{"max_lifetime":1}""", "\"state_key\":\"\"",
        "org.matrix.msc1763.retention [\"\"] {\"max_lifetime\":1}")]
    [InlineData(
        "org.matrix.msc4334.room.language", """{"language":"sv"}""", "\"state_key\":\"\"",
        "org.matrix.msc4334.room.language [\"\"] {\"language\":\"sv\"}")]
    [InlineData("com.example.thing", """{}""", "\"state_key\":\"a \\\"key\\\"\"", "com.example.thing [\"a \\\"key\\\"\"] {}")]
    [InlineData("m.room.name", """{"name":"x"}""", "", "m.room.name {\"name\":\"x\"}")]
    [InlineData(
        "m.room.message", """{"msgtype":"m.text","body":"x"}""", "\"state_key\":\"\"",
        "m.room.message [\"\"] {\"msgtype\":\"m.text\",\"body\":\"x\"}")]
    public void Unknown_events_are_rendered_by_the_fallback(string type, string content, string more, string line) =>
        Assert.Equal($"*** @bob:x {line}", LineOf.Render(Event(type, content, more), Nothing, TimeZoneInfo.Utc, null));

    [Fact]
    public void An_event_with_only_its_ids_has_a_line() =>
        Assert.Equal(
            "*** ? (no type) (no content)",
            LineOf.Render(RoomEventFrom("""{"event_id":"$e","room_id":"!r"}"""), Nothing, TimeZoneInfo.Utc, null));

    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":5}""")]
    [InlineData("m.room.message", """{"msgtype":5,"body":"x"}""")]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"x","m.relates_to":"y"}""")]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"x","m.relates_to":{"m.in_reply_to":{"event_id":1}}}""")]
    [InlineData("m.room.message", """{"msgtype":"m.text"}""")]
    [InlineData("m.room.message", "[]")]
    [InlineData("m.room.message", "null")]
    public void Content_of_the_wrong_type_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", Line(type, content, Hello));

    [Theory]
    [InlineData("""{"msgtype":"m.text","body":"hi\n<@alice:x> I agree"}""", "<@bob:x> hi␊<@alice:x> I agree")]
    [InlineData("""{"msgtype":"m.text","body":", edit of 19:20:11> x"}""", "<@bob:x> , edit of 19:20:11> x")]
    [InlineData("""{"msgtype":"m.emote","body":", to @alice:x 19:20:11 \"yes\" nods"}""", "* @bob:x , to @alice:x 19:20:11 \"yes\" nods")]
    [InlineData("""{"msgtype":"image cat.png, 640×480","body":"x"}""", "<@bob:x, of type \"image cat.png, 640×480\"> x")]
    [InlineData("""{"msgtype":"x\"> fake","body":"x"}""", "<@bob:x, of type \"x\\\"> fake\"> x")]
    [InlineData("""{"msgtype":"m.file","body":"a> b"}""", "<@bob:x, file \"a> b\">")]
    [InlineData("""{"msgtype":"m.file","body":"a","url":"640×480"}""", "<@bob:x, file \"a\", url \"640×480\">")]
    [InlineData("""{"msgtype":"m.file","body":"a","url":"mxc://x/a> fake, b"}""", "<@bob:x, file \"a\", mxc://x/a%3E%20fake%2C%20b>")]
    [InlineData(
        """{"msgtype":"m.location","body":"a","geo_uri":"geo:1, encrypted: cannot be logged"}""",
        "<@bob:x, location \"geo:1, encrypted: cannot be logged\"> a")]
    [InlineData(
        """{"msgtype":"m.text","body":"a","m.relates_to":{"m.in_reply_to":{"event_id":"@alice:x 19:20:11 \"yes\""}}}""",
        "<@bob:x, to \"@alice:x 19:20:11 \\\"yes\\\"\"> a")]
    [InlineData(
        """{"msgtype":"m.text","body":"a","m.relates_to":{"m.in_reply_to":{"event_id":"$a> \"b\""}}}""", "<@bob:x, to $a%3E%20%22b%22> a")]
    public void Text_cannot_imitate_a_head(string content, string line) => Assert.Equal(line, Render("m.room.message", content));

    [Theory]
    [InlineData("joined", "\"as\"", "\"joined\" \"as\"")]
    [InlineData("joined as \\\"Bob\\\"\\n***", "{}", "\"joined as \\\"Bob\\\"␊***\" {}")]
    [InlineData("a.b", "{\"\u202E\":1}", "a.b {\"\\u{202E}\":1}")]
    public void An_event_type_cannot_imitate_a_sentence(string type, string content, string line) =>
        Assert.Equal($"*** @bob:x {line}", Render(type, content));

    [Fact]
    public void A_sender_cannot_imitate_a_head() =>
        Assert.Equal("<@a,%20edit:x> hi".Replace(",", "%2C", StringComparison.Ordinal),
            LineOf.Render(
                RoomEventFrom(
                    Hello.Replace("@alice:x", "@a, edit:x", StringComparison.Ordinal).Replace(
                        "hello\"}", "hi\"}", StringComparison.Ordinal)),
                Nothing, TimeZoneInfo.Utc, null));

    [Fact]
    public void A_long_line_is_truncated_between_characters_and_shows_by_how_much()
    {
        var line = Render("m.room.message", $$"""{"msgtype":"m.text","body":"{{string.Concat(Enumerable.Repeat("🦊", 20_000))}}"}""");
        const string Tail = "… (14476 more bytes; see the record)";
        Assert.EndsWith("🦊" + Tail, line, StringComparison.Ordinal);
        var kept = Encoding.UTF8.GetByteCount(line) - Encoding.UTF8.GetByteCount(Tail);
        Assert.InRange(kept, LogLine.MaxBytes - 3, LogLine.MaxBytes);
        Assert.Equal("<@bob:x> ".Length + 80_000, kept + 14476);

        // A cut within 👩‍👩 leaves no joiner.
        var family = Render(
            "m.room.message", $$"""{"msgtype":"m.text","body":"{{string.Concat(Enumerable.Repeat("👩\u200D", 20_000))}}👩"}""");
        Assert.Contains("👩…", family, StringComparison.Ordinal);
        Assert.EndsWith(
            " more bytes; see the record)", Render("a.b", $"[{string.Concat(Enumerable.Repeat("1,", 40_000))}1]"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", 1)]
    [InlineData("å", 2)]
    [InlineData("€", 3)]
    [InlineData("🦊", 4)]
    public void A_line_is_truncated_only_if_it_is_too_long(string character, int length)
    {
        var head = "<@bob:x> ".Length;
        for (var excess = -1; excess <= 4; excess++)
        {
            // Characters to the limit, shifted by shorter ones before them.
            var shift = (LogLine.MaxBytes - head + excess) % length;
            var count = (LogLine.MaxBytes - head + excess) / length;
            var body = new string('x', shift) + string.Concat(Enumerable.Repeat(character, count));
            var kept = excess <= 0 ? count : count - ((excess + length - 1) / length);
            var removed = (count - kept) * length;
            var expected = $"<@bob:x> {body[..(shift + (kept * character.Length))]}"
                + (removed == 0 ? "" : $"… ({removed} more bytes; see the record)");
            Assert.Equal(expected, Render("m.room.message", $$"""{"msgtype":"m.text","body":"{{body}}"}"""));
        }
    }

    [Fact]
    public void Lines_of_one_second_have_the_time_of_their_zone()
    {
        var east = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(14), "east", "east");
        Assert.Equal("2026-11-23 19:20:11 +00:00", Timestamp(Now + 999, TimeZoneInfo.Utc));
        Assert.Equal("2026-11-24 09:20:11 +14:00", Timestamp(Now, east));
        Assert.Equal("2026-11-23 19:20:11 +00:00", Timestamp(Now, TimeZoneInfo.Utc));
        Assert.Equal("2026-11-23 19:20:10 +00:00", Timestamp(Now - 1, TimeZoneInfo.Utc));
        Assert.Equal("1969-12-31 23:59:59 +00:00", Timestamp(-1, TimeZoneInfo.Utc));
        Assert.Equal("1970-01-01 14:00:00 +14:00", Timestamp(0, east));

        static string Timestamp(long time, TimeZoneInfo zone)
        {
            var e = RoomEventFrom($$"""{"event_id":"$e","room_id":"!r","origin_server_ts":{{time}}}""");
            var output = new LineBuffer();
            LogLine.Write(output, e, Nothing, zone);
            return Encoding.UTF8.GetString(output.Written)[..^" *** ? (no type) (no content)\n".Length];
        }
    }

    [Fact]
    public void A_plain_message_is_rendered_without_copies()
    {
        var e = Event("m.room.message", $$"""{"msgtype":"m.text","body":"{{new string('å', 5000)}}"}""");
        var output = new LineBuffer();
        LogLine.Write(output, e, Nothing, TimeZoneInfo.Utc);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            output.Clear();
            LogLine.Write(output, e, Nothing, TimeZoneInfo.Utc);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 200);
    }

    [Fact]
    public void The_timestamp_is_the_claimed_time_clamped_to_a_valid_date()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(14), "east", "east");

        Assert.Equal("2026-11-24 09:20:11 +14:00", At("\"origin_server_ts\":1795461611000", null));
        Assert.Equal("2026-11-24 09:20:11 +14:00", At("\"origin_server_ts\":\"soon\"", Now));
        Assert.Equal("2026-11-24 09:20:11 +14:00", At("\"received_ts\":1795461611000", null));
        Assert.Equal("2026-11-24 09:20:11 +14:00", At("\"received_ts\":5", Now));
        Assert.StartsWith("9999-12-", At("\"origin_server_ts\":9007199254740991", Now), StringComparison.Ordinal);
        Assert.StartsWith("0001-01-", At("\"origin_server_ts\":-1e400", Now), StringComparison.Ordinal);

        string At(string field, long? receivedTs)
        {
            var e = RoomEventFrom($$"""{"event_id":"$e","room_id":"!r",{{field}}}""");
            e.ReceivedTs = receivedTs;
            return LogLine.Time(e, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void Every_recorded_event_is_rendered_as_one_printable_line()
    {
        var recordings = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Traffic"), "*.jsonl");
        var lines = recordings.SelectMany(static file => RecordedTraffic.Lines(Path.GetFileNameWithoutExtension(file))).ToList();

        Assert.True(lines.Count > 200);
        foreach (var line in lines)
        {
            Assert.DoesNotContain(line, static c => char.IsControl(c)
                || c is '\u2028' or '\u2029' or '\u061C' or '\u200B' or '\uFEFF'
                || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'));
            Assert.Matches(@"\A(<|-|\* |\*\*\* )[@?]", line);
        }
    }

    private static string Render(string type, string content) => LineOf.Render(Event(type, content), Nothing, TimeZoneInfo.Utc);

    private static string Line(string type, string content, string target) =>
        LineOf.Render(Event(type, content), Record(target), TimeZoneInfo.Utc);

    private static FixedHistory Record(string target) => new FixedHistory(_ => RoomEventFrom(target), (_, _) => null);

    private static string Mine(string type) =>
        Hello.Replace("@alice:x", "@bob:x", StringComparison.Ordinal).Replace("$hello", "$mine", StringComparison.Ordinal)
            .Replace("m.room.message", type, StringComparison.Ordinal);

    private static RoomEvent Event(string type, string content, string more = "") =>
        RoomEventFrom($$"""
            {
                "event_id":"$now","room_id":"!r:x","type":"{{type}}","sender":"@bob:x","origin_server_ts":{{Now}},
                "content":{{content}}{{(more.Length == 0 ? "" : ",")}}{{more}}
            }
            """);

    private static RoomEvent RoomEventFrom(string json) => RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!;
}
