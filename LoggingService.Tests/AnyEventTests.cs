using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Any event is rendered as one printable line, and its record is the bytes that were pushed.</summary>
public class AnyEventTests
{
    private const string RoomId = "!a:localhost";

    private static readonly IReadOnlyList<string> Recorded =
    [
        .. from recording in (string[])["everyday", "encryption", "invites", "room_upgrade"]
           from request in RecordedTraffic.Read(recording)
           where request.Method == "PUT"
           from e in JsonDocument.Parse(request.Body).RootElement.GetProperty("events").EnumerateArray()
           select e.GetRawText(),
    ];

    private static readonly Gen<string> Text = Gen.Elements(
            "", " ", "a", "hello", "\n", "\r\n", "\t", "\0", "\e[2J", "\u007f", "\u0085", "\u2028", "\u2029",
            "\u202e", "\u2066", "\u200e", "\u061c", "\u200b", "\ufeff",
            "\U000e0041", "\u115f", "\u1160", "\u3164", "\uffa0", "\u180b", "\u180e", "\ufe00", "\ufe0d",
            "\U000e0100", "\U000e01ef",
            "👩‍👩‍👧", "👍🏽", "❤️", "नमस्ते", "می‌خواهم", "\"", "\\", "<", ">", ",", "*** ", "-", ": ", "{0}", "%s", "␊",
            "#logged_a:localhost", "@bob:localhost", "$1", "mxc://localhost/a", "geo:55.6,13.0",
            "m.text", "m.image", "m.emote", "m.notice", "m.annotation", "m.replace", "m.thread",
            "join", "leave", "invite", "ban", "knock", "99999999999999999999", "2026-11-23 19:20:11 +00:00 ")
        .ArrayOf().Resize(4).Select(string.Concat);

    // Encoded as JSON, including strings that a serializer would not write.
    private static readonly Gen<string> TextToken = Gen.Frequency(
        (9, Text.Select(text => JsonSerializer.Serialize(text))),
        (1, Gen.Elements("\"\\ud800\"", "\"\\udc00x\"", "\"\\u0000\"", "\"a\\ud83da\"")));

    private static readonly Gen<string> Scalar = Gen.Frequency(
        (6, TextToken),
        (2, Gen.Elements("0", "-1", "1.5", "1e400", "9223372036854775808", "1795437020908")),
        (1, Gen.Elements("true", "false", "null", "[]", "{}")));

    private static readonly Gen<string> Key = Gen.Frequency(
        (3, Gen.Elements(
            "body", "msgtype", "m.relates_to", "event_id", "rel_type", "key", "m.in_reply_to", "m.new_content", "url", "info",
            "filename", "membership", "reason", "displayname", "name", "users", "answers", "id", "m.text")
            .Select(key => JsonSerializer.Serialize(key))),
        (1, TextToken));

    private static readonly Gen<string> Type = Gen.Frequency(
        (9, Gen.Elements<string>([
            .. Recorded.Select(e => JsonDocument.Parse(e).RootElement.GetProperty("type").GetRawText()).Distinct(),
            "\"m.room.message\"", "\"m.reaction\"", "\"m.poll.start\"", "\"org.matrix.msc3381.poll.start\"", "\"m.poll.end\"",
            "\"m.beacon_info\"", "\"m.beacon\"", "\"m.call.invite\"", "\"m.call.member\"", "\"m.policy.rule.user\"",
            "\"m.room.third_party_invite\"", "\"m.key.verification.done\"",
        ])),
        (1, TextToken));

    private static Gen<string> Value(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency(
            (4, Scalar),
            (2, Object(depth - 1)),
            (1, Value(depth - 1).ArrayOf().Resize(4).Select(items => $"[{string.Join(',', items)}]")));

    private static Gen<string> Object(int depth) =>
        Key.SelectMany(key => Value(depth).Select(value => $"{key}:{value}")).ArrayOf().Resize(5)
            .Select(members => $"{{{string.Join(',', members)}}}");

    /// <summary>A random event.</summary>
    private static readonly Gen<string> Invented =
        from type in Type
        from sender in Gen.Frequency((3, Gen.Constant("\"@alice:localhost\"")), (1, Scalar))
        from stateKey in Gen.Frequency((2, Gen.Constant("")), (1, TextToken.Select(key => $",\"state_key\":{key}")))
        from time in Gen.Frequency((3, Gen.Constant("1795437020908")), (1, Scalar))
        from content in Value(3)
        from unsigned in Value(2)
        select $"{{\"event_id\":\"$1\",\"room_id\":\"{RoomId}\",\"type\":{type},\"sender\":{sender},\"origin_server_ts\":{time},"
            + $"\"content\":{content},\"unsigned\":{unsigned}{stateKey}}}";

    /// <summary>A recorded event with one value replaced, at any depth.</summary>
    private static readonly Gen<string> Distorted =
        from e in Gen.Elements(Recorded.ToArray())
        from index in Gen.Choose(0, int.MaxValue)
        from value in Value(2)
        select WithReplacedValue(e, index, value);

    [Fact]
    public void Any_event_is_one_printable_line_and_its_record_is_byte_for_byte() =>
        Prop.ForAll(Gen.OneOf(Invented, Distorted).ArrayOf(2).ToArbitrary(), events => Check(events[0], events[1]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    private static void Check(string earlierText, string text)
    {
        var earlier = Read(earlierText);
        var e = Read(text);
        var line = LineOf.Render(e, new FixedHistory(_ => earlier, (_, _) => earlier), TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
        Assert.DoesNotContain(line.EnumerateRunes(), IsUnsafe);
        Assert.False(HasLoneSurrogate(line), line);
        Assert.Matches(LogFormat.Line, $"2026-11-23 19:20:11 +00:00 {line}");
        Assert.InRange(Encoding.UTF8.GetByteCount(line), 1, LogLine.MaxBytes + 100);

        var fallback = new LineBuffer();
        LogLine.WriteFallback(fallback, e, TimeZoneInfo.Utc);
        Assert.EndsWith("\n", Encoding.UTF8.GetString(fallback.Written), StringComparison.Ordinal);
        Assert.DoesNotContain(Encoding.UTF8.GetString(fallback.Written[..^1]).EnumerateRunes(), IsUnsafe);

        using var record = new MemoryStream();
        e.ReceivedTs = 5;
        e.WriteRecord(record);
        Assert.Equal($"{text[..^1]},\"received_ts\":5}}\n", Encoding.UTF8.GetString(record.ToArray()));
    }

    private static RoomEvent Read(string text)
    {
        var e = RoomEvent.FromRecord(Encoding.UTF8.GetBytes(text));
        Assert.True(e is not null, text);
        return e;
    }

    // Controls, invisible and reordering characters, listed independently of SafeText. No text here makes any of them legitimate.
    private static bool IsUnsafe(Rune rune) => Rune.IsControl(rune)
        || rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2028 or 0x2029 or 0x061C or 0x200B or 0xFEFF
        || rune.Value is (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0D) or (>= 0xE0000 and <= 0xE0FFF)
        || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x206F) or (>= 0xFFF9 and <= 0xFFFB);

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The event with one value replaced, except for its event id and room id.</summary>
    private static string WithReplacedValue(string json, int index, string value)
    {
        const string Mark = "\"(here)\"";
        var e = JsonNode.Parse(json)!.AsObject();
        e["event_id"] = "$1";
        e["room_id"] = RoomId;
        var setters = new List<Action>();
        Collect(e);
        if (setters.Count > 0)
        {
            setters[index % setters.Count]();
        }

        return e.ToJsonString().Replace(Mark, value, StringComparison.Ordinal);

        void Collect(JsonNode? node)
        {
            if (node is JsonObject members)
            {
                foreach (var (key, member) in members.Where(member => members != e || member.Key is not ("event_id" or "room_id")).ToList())
                {
                    setters.Add(() => members[key] = "(here)");
                    Collect(member);
                }
            }
            else if (node is JsonArray items)
            {
                for (var i = 0; i < items.Count; i++)
                {
                    var position = i;
                    setters.Add(() => items[position] = "(here)");
                    Collect(items[position]);
                }
            }
        }
    }
}
