using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Who reads the logs with a program can rely on docs/log-format.md, and on nobody having faked a line.</summary>
public partial class LogFormatTests
{
    private static readonly string[] Recordings =
        ["everyday", "create_room", "alias_added_later", "room_upgrade", "encryption", "invites", "legacy_authorization", "service_down_and_homeserver_restart"];

    public static TheoryData<string> Types => [.. Samples.Select(sample => sample.Type).Distinct()];

    // One event of each type and shape that was recorded, and of what wasn't.
    private static readonly IReadOnlyList<(string Type, string Event)> Samples =
    [
        .. from recording in Recordings
           from request in RecordedTraffic.Read(recording)
           where request.Target.Contains("/transactions/", StringComparison.Ordinal)
           from e in JsonDocument.Parse(request.Body).RootElement.GetProperty("events").EnumerateArray()
           let type = e.GetProperty("type").GetString()!
           let shape = type + string.Join(',', e.GetProperty("content").EnumerateObject().Select(member => member.Name == "msgtype" ? member.Value.GetString() : member.Name))
           group (type, e.GetRawText()) by shape into same
           select same.First(),
        .. HostileContentTests.Kinds.Select(kind => (kind.Data.Item1, $$"""{"event_id":"$e","room_id":"!r:x","sender":"@bob:x","type":"{{kind.Data.Item1}}",{{(kind.Data.Item3 is { } key ? $"\"state_key\":\"{key}\"," : "")}}"redacts":"$theirs","origin_server_ts":1,"content":{{kind.Data.Item2}}}""")),
    ];

    [Fact]
    public async Task Every_line_of_every_recording_is_taken_apart()
    {
        var heads = new HashSet<char>();
        foreach (var recording in Recordings)
        {
            using var service = new ServiceUnderTest();
            foreach (var request in RecordedTraffic.Read(recording).Where(request => request.Target.Contains("/transactions/", StringComparison.Ordinal)))
            {
                await service.SendAsync(HttpMethod.Put, request.Target, request.Body);
            }

            foreach (var line in Directory.GetFiles(service.Logs, "2*.log", SearchOption.AllDirectories).SelectMany(File.ReadAllLines))
            {
                var match = LogFormat.Line.Match(line);
                Assert.True(match.Success, line);
                Assert.Equal(line, $"{match.Groups["time"].Value} {match.Groups["head"].Value}{(match.Groups["text"].Length == 0 ? "" : " ")}{match.Groups["text"].Value}");
                heads.Add(match.Groups["head"].Value[0]);
            }
        }

        Assert.Equal(['*', '-', '<'], heads.Order());
    }

    [Theory]
    [InlineData("<@alice:x> *** @bob:x joined", "<@alice:x>", "*** @bob:x joined")]
    [InlineData("<@alice:x, to @bob:x 19:20:11 \"a> \\\" b\"> c> d", "<@alice:x, to @bob:x 19:20:11 \"a> \\\" b\">", "c> d")]
    [InlineData("-@bot:x- a - b", "-@bot:x-", "a - b")]
    [InlineData("-@bot:x, in thread \"a- b\"- c- d", "-@bot:x, in thread \"a- b\"-", "c- d")]
    [InlineData("* @alice:x , edit of 19:20:11 waves", "* @alice:x", ", edit of 19:20:11 waves")]
    [InlineData("* <@alice:x, edit of 19:20:11> waves", "* <@alice:x, edit of 19:20:11>", "waves")]
    [InlineData("*** @alice:x set the topic to \"a\"", "***", "@alice:x set the topic to \"a\"")]
    [InlineData("<@alice:x>", "<@alice:x>", "")]
    [InlineData("<@alice:x, file aaaa… (7 more bytes; see the record)", "<@alice:x, file aaaa", "… (7 more bytes; see the record)")]
    public void A_line_is_head_and_words(string line, string head, string text)
    {
        var match = LogFormat.Line.Match($"2026-11-23 19:20:11 +00:00 {line}");
        Assert.Equal((head, text), (match.Groups["head"].Value, match.Groups["text"].Value));
    }

    [Fact]
    public void Lnav_takes_lines_apart_by_the_same_expression()
    {
        var format = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "logging-service.lnav.json")))!;
        var pattern = (string?)format["logging_service"]!["regex"]!["line"]!["pattern"];
        Assert.Equal(LogFormat.Line.ToString(), pattern!.Replace("<timestamp>", "<time>", StringComparison.Ordinal).Replace("<body>", "<text>", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("@alice:x-", "m.room.message", """{"msgtype":"m.text","body":"yo- yo"}""", "-@bob:x, to @alice:x%2D 19:20:11 \"yo- yo\"-")]
    [InlineData("@alice:x", "a.b-", "{}", "-@bob:x, to the event \"a.b-\" of @alice:x 19:20:11-")]
    [InlineData("@alice:x- ", "m.sticker", "{}", "-@bob:x, to the sticker of @alice:x-%20 19:20:11-")]
    public void A_notices_head_ends_where_the_service_ends_it(string sender, string type, string content, string head)
    {
        var line = LineOf.Bobs("m.room.message", """{"msgtype":"m.notice","body":"I- agree","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""", LineOf.Event(sender, type, content));
        A_line_is_head_and_words(line, head, "I- agree");
    }

    [Fact]
    public void A_notices_sender_ends_where_the_service_ends_them() =>
        A_line_is_head_and_words(LineOf.After(LineOf.Event("@a:x-", "m.room.message", """{"msgtype":"m.notice","body":"- hi"}""")), "-@a:x%2D-", "- hi");

    [Theory]
    [MemberData(nameof(Types))]
    public void No_words_in_an_event_look_like_a_line_of_another(string type)
    {
        // Every line that there is, as words where people's words can be. "x, y" is as harmless as words can be that need quotes.
        var lines = Recordings.SelectMany(RecordedTraffic.Lines).Select(LogFormat.WithoutUserText).Where(line => line.Contains(' ', StringComparison.Ordinal))
            .DistinctBy(line => Ids().Replace(line, "")).Append("y\"> FAKE").Append("y\\\"> FAKE").Append("\n2026-11-23 19:20:11 +00:00 *** @alice:x joined").ToList();
        foreach (var (_, sample) in Samples.Where(sample => sample.Type == type))
        {
            // What the event replaces: itself as it was, or nothing that is known.
            var e = Read(WithId(sample));
            RoomEvent?[] replaced = e.StateKey is null ? [null] : [e, null];
            var harmless = Lines("x, y");
            foreach (var words in lines)
                Assert.Equal(harmless, Lines(words));

            List<string> Lines(string words) =>
                [.. With(sample, words).SelectMany(json => replaced.Select(earlier => LogFormat.WithoutUserText(Render(Read(json), words, earlier))))];
        }
    }

    // What the event refers to says the words too.
    private static string Render(RoomEvent e, string words, RoomEvent? replaced)
    {
        var said = LineOf.Event("@alice:x", "m.room.message", new JsonObject { ["msgtype"] = "m.file", ["body"] = words }.ToJsonString());
        var poll = LineOf.Event("@alice:x", "m.poll.start", new JsonObject { ["m.poll"] = new JsonObject { ["question"] = new JsonObject { ["m.text"] = new JsonArray(new JsonObject { ["body"] = words }) } } }.ToJsonString());
        var before = new RoomHistory(
            id => id == "$poll" ? poll : id.StartsWith('$') ? said : null,
            (type, key) => (type, key) == (replaced?.Type, replaced?.StateKey) ? replaced : null);
        return LogLine.Render(e, before, TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
    }

    private static string WithId(string json)
    {
        var e = JsonNode.Parse(json)!;
        e["event_id"] = "$before";
        return e.ToJsonString();
    }

    private static RoomEvent Read(string json)
    {
        Assert.True(RawJson.TryParse(System.Text.Encoding.UTF8.GetBytes(json), out var parsed, out _));
        Assert.True(RoomEvent.TryRead(parsed, out var e, out _));
        return e;
    }

    /// <summary>The event, each time with another one of its strings, or of the keys in its content, replaced.</summary>
    private static IEnumerable<string> With(string json, string words)
    {
        var count = Strings(JsonNode.Parse(json)!).Count();
        for (var i = 0; i < count; i++)
        {
            var e = JsonNode.Parse(json)!;
            Strings(e).ElementAt(i).ReplaceWith(words);
            yield return e.ToJsonString();
        }

        count = Keys(JsonNode.Parse(json)!["content"]!).Count();
        for (var i = 0; i < count; i++)
        {
            var e = JsonNode.Parse(json)!;
            var (members, key) = Keys(e["content"]!).ElementAt(i);
            var value = members[key];
            var at = members.IndexOf(key);
            members.RemoveAt(at);
            members.Insert(at, words, value);
            yield return e.ToJsonString();
        }
    }

    // Of the event's own keys, these are somebody's words too.
    private static IEnumerable<JsonNode> Strings(JsonNode e) =>
        from member in e.AsObject()
        where member.Key is "content" or "unsigned" or "prev_content" or "sender" or "state_key" or "type" or "redacts"
        from value in Values(member.Value!)
        select value;

    private static IEnumerable<(JsonObject Members, string Key)> Keys(JsonNode? node) => node switch
    {
        JsonObject members => members.Select(member => (members, member.Key)).Concat(members.SelectMany(member => Keys(member.Value))),
        JsonArray items => items.SelectMany(Keys),
        _ => [],
    };

    private static IEnumerable<JsonNode> Values(JsonNode node) => node switch
    {
        JsonObject members => members.Where(member => member.Value is not null).SelectMany(member => Values(member.Value!)),
        JsonArray items => items.Where(item => item is not null).SelectMany(item => Values(item!)),
        _ => node.GetValueKind() == JsonValueKind.String ? [node] : [],
    };

    // Lines that differ in nothing else are words of one kind.
    [GeneratedRegex(@"[@!#$][^\s>,:]+(:[a-z]+)?|\d+")]
    private static partial Regex Ids();
}
