using System.Text.Json;
using System.Text.Json.Nodes;
using LoggingService.Lines;
using LoggingService.Tests.Support;
using LoggingService.Transactions;

namespace LoggingService.Tests;

/// <summary>Who reads the logs with a program can rely on docs/log-format.md, and on nobody having faked a line.</summary>
public class LogFormatTests
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
        .. HostileContentTests.Kinds.Select(kind => (kind.Data.Item1, $$"""{"event_id":"$e","room_id":"!r:x","sender":"@bob:x","type":"{{kind.Data.Item1}}","origin_server_ts":1,"content":{{kind.Data.Item2}}}""")),
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
    [MemberData(nameof(Types))]
    public void No_words_in_an_event_look_like_a_line_of_another(string type)
    {
        // Every line that there is, as words where people's words can be. "x, y" is as harmless as words can be that need quotes.
        var lines = Recordings.SelectMany(RecordedTraffic.Lines).Select(LogFormat.ServicesWords).Distinct().Where(line => line.Contains(' ', StringComparison.Ordinal))
            .Append("y\"> FAKE").Append("y\\\"> FAKE").Append("\n2026-11-23 19:20:11 +00:00 *** @alice:x joined").ToList();
        foreach (var (_, sample) in Samples.Where(sample => sample.Type == type))
        {
            var harmless = With(sample, "x, y").Select(Render).Select(LogFormat.ServicesWords).ToList();
            foreach (var words in lines)
            {
                Assert.Equal(harmless, With(sample, words).Select(Render).Select(LogFormat.ServicesWords));
            }
        }
    }

    private static string Render(string json)
    {
        Assert.True(RawJson.TryParse(System.Text.Encoding.UTF8.GetBytes(json), out var parsed, out _) && RoomEvent.TryRead(parsed, out _, out _));
        Assert.True(RoomEvent.TryRead(parsed, out var e, out _));
        return LogLine.Render(e, new EarlierEvents(_ => null, (_, _) => null), TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
    }

    /// <summary>The event, each time with another one of its strings replaced.</summary>
    private static IEnumerable<string> With(string json, string words)
    {
        var count = Strings(JsonNode.Parse(json)!).Count();
        for (var i = 0; i < count; i++)
        {
            var e = JsonNode.Parse(json)!;
            Strings(e).ElementAt(i).ReplaceWith(words);
            yield return e.ToJsonString();
        }
    }

    // Of the event's own keys, sender and state key are somebody's words too.
    private static IEnumerable<JsonNode> Strings(JsonNode e) =>
        from member in e.AsObject()
        where member.Key is "content" or "unsigned" or "prev_content" or "sender" or "state_key"
        from value in Values(member.Value!)
        select value;

    private static IEnumerable<JsonNode> Values(JsonNode node) => node switch
    {
        JsonObject members => members.Where(member => member.Value is not null).SelectMany(member => Values(member.Value!)),
        JsonArray items => items.Where(item => item is not null).SelectMany(item => Values(item!)),
        _ => node.GetValueKind() == JsonValueKind.String ? [node] : [],
    };
}
