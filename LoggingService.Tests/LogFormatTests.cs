using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Programs that read the logs can rely on docs/log-format.md, and no event can imitate another line.</summary>
public partial class LogFormatTests
{
    private static readonly string[] Recordings =
    [
        "everyday", "evening", "create_room", "alias_added_later", "room_upgrade", "encryption", "invites", "legacy_authorization",
        "service_down_and_homeserver_restart",
    ];

    public static TheoryData<string> Types => [.. Samples.Select(sample => sample.Type).Distinct()];

    // One event of each recorded type and shape, and of those that were not recorded.
    private static readonly IReadOnlyList<(string Type, string Event)> Samples =
    [
        .. from recording in Recordings
           from request in RecordedTraffic.Read(recording)
           where request.Target.Contains("/transactions/", StringComparison.Ordinal)
           from e in JsonDocument.Parse(request.Body).RootElement.GetProperty("events").EnumerateArray()
           let type = e.GetProperty("type").GetString()!
           let keys = e.GetProperty("content").EnumerateObject().Select(m => m.Name == "msgtype" ? m.Value.GetString() : m.Name)
           let shape = type + string.Join(',', keys)
           group (type, e.GetRawText()) by shape into same
           select same.First(),
        .. HostileContentTests.Kinds.Select(kind => (kind.Data.Item1, Sample(kind.Data.Item1, kind.Data.Item2, kind.Data.Item3))),
    ];

    private static string Sample(string type, string content, string? stateKey) => $$"""
        {
            "event_id":"$e","room_id":"!r:x","sender":"@bob:x","type":"{{type}}","redacts":"$theirs","origin_server_ts":1,
            {{(stateKey is null ? "" : $"\"state_key\":\"{stateKey}\",")}}"content":{{content}}
        }
        """;

    [Fact]
    public async Task Every_recorded_line_matches()
    {
        var heads = new HashSet<char>();
        foreach (var recording in Recordings)
        {
            using var service = new ServiceUnderTest();
            foreach (var request in RecordedTraffic.Read(recording).Where(request => request.Target.Contains("/transactions/")))
            {
                await service.SendAsync(HttpMethod.Put, request.Target, request.Body);
            }

            foreach (var line in Directory.GetFiles(service.Logs, "2*.log", SearchOption.AllDirectories).SelectMany(File.ReadAllLines))
            {
                var match = LogFormat.Line.Match(line);
                Assert.True(match.Success, line);
                var head = match.Groups["head"].Value;
                var text = match.Groups["text"].Value;
                Assert.Equal(line, $"{match.Groups["time"].Value} {head}{(text.Length == 0 ? "" : " ")}{text}");
                heads.Add(head[0]);
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
    public void A_line_is_split_into_head_and_text(string line, string head, string text)
    {
        var match = LogFormat.Line.Match($"2026-11-23 19:20:11 +00:00 {line}");
        Assert.Equal((head, text), (match.Groups["head"].Value, match.Groups["text"].Value));
    }

    [Fact]
    public void Lnav_uses_the_same_expression()
    {
        var format = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "logging-service.lnav.json")))!;
        var pattern = (string?)format["logging_service"]!["regex"]!["line"]!["pattern"];
        Assert.Equal(LogFormat.Line.ToString(), pattern!.Replace("<timestamp>", "<time>").Replace("<body>", "<text>"));
    }

    [Theory]
    [InlineData("@alice:x-", "m.room.message", """{"msgtype":"m.text","body":"yo- yo"}""", "-@bob:x, to @alice:x%2D 19:20:11 \"yo- yo\"-")]
    [InlineData("@alice:x", "a.b-", "{}", "-@bob:x, to the event \"a.b-\" of @alice:x 19:20:11-")]
    [InlineData("@alice:x- ", "m.sticker", "{}", "-@bob:x, to the sticker of @alice:x-%20 19:20:11-")]
    public void The_head_of_a_notice_cannot_be_extended(string sender, string type, string content, string head)
    {
        const string Notice = """{"msgtype":"m.notice","body":"I- agree","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""";
        var line = LineOf.Bobs("m.room.message", Notice, LineOf.Event(sender, type, content));
        A_line_is_split_into_head_and_text(line, head, "I- agree");
    }

    [Fact]
    public void The_sender_of_a_notice_cannot_end_its_head()
    {
        var line = LineOf.After(LineOf.Event("@a:x-", "m.room.message", """{"msgtype":"m.notice","body":"- hi"}"""));
        A_line_is_split_into_head_and_text(line, "-@a:x%2D-", "- hi");
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void No_text_in_an_event_imitates_another_line(string type)
    {
        // Every known line, as text wherever users control text. "x, y" is harmless, but needs quotes as these do.
        var recorded = Recordings.SelectMany(RecordedTraffic.Lines).Select(LogFormat.WithoutUserText)
            .Where(line => line.Contains(' ', StringComparison.Ordinal))
            .DistinctBy(line => Ids().Replace(line, ""));
        List<string> lines =
            [.. recorded, "y\"> FAKE", "y\\\"> FAKE", "\n2026-11-23 19:20:11 +00:00 *** @alice:x joined"];
        foreach (var (_, sample) in Samples.Where(sample => sample.Type == type))
        {
            // The replaced state: the event itself, or unknown.
            var e = Read(WithId(sample));
            RoomEvent?[] replaced = e.StateKey is null ? [null] : [e, null];
            var harmless = Lines("x, y");
            foreach (var text in lines)
                Assert.Equal(harmless, Lines(text));

            List<string> Lines(string text) =>
            [
                .. from json in With(sample, text)
                   from previous in replaced
                   select LogFormat.WithoutUserText(Render(Read(json), text, previous)),
            ];
        }
    }

    // The targets of the event contain the text too.
    private static string Render(RoomEvent e, string text, RoomEvent? replaced)
    {
        var json = JsonValue.Create(text).ToJsonString();
        var message = LineOf.Event("@alice:x", "m.room.message", $$"""{"msgtype":"m.file","body":{{json}}}""");
        var poll = LineOf.Event("@alice:x", "m.poll.start", $$$"""{"m.poll":{"question":{"m.text":[{"body":{{{json}}} }]} } }""");
        var history = new FixedHistory(
            id => id == "$poll" ? poll : id.StartsWith('$') ? message : null,
            (type, key) => (type, key) == (replaced?.Type, replaced?.StateKey) ? replaced : null);
        return LineOf.Render(e, history, TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
    }

    private static string WithId(string json)
    {
        var e = JsonNode.Parse(json)!;
        e["event_id"] = "$before";
        return e.ToJsonString();
    }

    private static RoomEvent Read(string json)
    {
        var e = RoomEvent.FromRecord(System.Text.Encoding.UTF8.GetBytes(json));
        Assert.NotNull(e);
        return e;
    }

    /// <summary>The event with each of its strings, and each key of its content, replaced in turn.</summary>
    private static IEnumerable<string> With(string json, string text)
    {
        var count = Strings(JsonNode.Parse(json)!).Count();
        for (var i = 0; i < count; i++)
        {
            var e = JsonNode.Parse(json)!;
            Strings(e).ElementAt(i).ReplaceWith(text);
            yield return e.ToJsonString();
        }

        count = Keys(JsonNode.Parse(json)!["content"]!).Count();
        for (var i = 0; i < count; i++)
        {
            var e = JsonNode.Parse(json)!;
            var (members, key) = Keys(e["content"]!).ElementAt(i);
            var value = members[key];
            var index = members.IndexOf(key);
            members.RemoveAt(index);
            members.Insert(index, text, value);
            yield return e.ToJsonString();
        }
    }

    // The keys of the event that users control.
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

    // Lines that differ only in these are equivalent.
    [GeneratedRegex(@"[@!#$][^\s>,:]+(:[a-z]+)?|\d+")]
    private static partial Regex Ids();
}
