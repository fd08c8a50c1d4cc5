using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>Every transaction is logged or quarantined, and none is retried forever.</summary>
public class TransactionTests
{
    private const string Path1 = "/_matrix/app/v1/transactions/1";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Events_are_logged_in_the_order_of_the_push()
    {
        using var service = new ServiceUnderTest();
        var (one, two) = (Some.RoomId(), Some.RoomId());
        for (var t = 0; t < 3; t++)
        {
            // Their origin_server_ts decreases.
            await service.PushAsync($"{t}", Enumerable.Range(0, 20)
                .Select(i => Some.Message(i % 2 == 0 ? one : two, $"{t}.{i}", at: 1_795_437_020_908 - i)));
        }

        string[] Expected(int rest) =>
        [
            .. from t in Enumerable.Range(0, 3)
               from i in Enumerable.Range(0, 20)
               where i % 2 == rest
               select $"<@alice:localhost> {t}.{i}",
        ];
        Assert.Equal(Expected(0), service.Lines(one));
        Assert.Equal(Expected(1), service.Lines(two));
    }

    public static TheoryData<string, string> OddContents => new()
    {
        { "nested 129 deep", $$"""{"content":{{Nested(129)}},""" },
        { "nested 30,000 deep", $$"""{"content":{{Nested(30_000)}},""" },
        {
            "huge and odd numbers",
            """{"content":{"a":1e400,"b":-1E-400,"c":123456789012345678901234567890,"d":-0,"e":1.0,"f":0.1e+1},"origin_server_ts":1e400,"""
        },
        { "a time that is no number", """{"origin_server_ts":"soon",""" },
        { "duplicate keys", """{"content":{"body":"first","body":"last"},"content":{"body":"second","msgtype":"m.text"},""" },
        { "unpaired surrogates", """{"content":{"body":"\ud800 \udc00\uD83D","\udfff":1,"msgtype":"m.text"},"\ud800":"\udbff",""" },
        { "NUL", """{"content":{"body":"a\u0000b","\u0000":0,"msgtype":"m.text"},""" },
        { "escapes in keys", """{"\u0063ontent":{"bod\u0079":"x","msgtyp\u0065":"m.text"},"a\/b\"\\":"\/",""" },
        { "a received_ts of the sender's own", """{"received_ts":5,"content":{"received_ts":6},""" },
        { "spaces and tabs", "{ \t\"content\" : {\t\"body\":\"a  b\" } , " },
        { "line and paragraph separators", "{\"content\":{\"body\":\"a\u2028b\u2029c\u0085d\"}," },
        { "content that is no object", """{"content":[null,true,"}{",1],""" },
    };

    [Theory]
    [MemberData(nameof(OddContents), DisableDiscoveryEnumeration = true)]
    public async Task An_event_is_recorded_byte_for_byte_with(string what, string beginning)
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var odd = beginning
            + $$"""
                "event_id":"{{Some.EventId()}}","room_id":"{{room}}","sender":"@alice:localhost","type":"m.room.message"}
                """;

        Assert.Equal((200, "{}"), await service.PushAsync("1", odd, Some.Message(room, $"behind {what}")));

        var record = service.Record(room);
        Assert.Equal(2, record.Count);
        Assert.Equal(odd, WithoutReceivedTs(record[0]));
        Assert.Equal(2, service.Lines(room).Count);
        Assert.Equal($"<@alice:localhost> behind {what}", service.Lines(room)[1]);
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task Escapes_in_ids_are_decoded()
    {
        using var service = new ServiceUnderTest();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, Path1,
            """{"\u0065vents":[{"event\u005fid":"$\u0061","room_id":"\u0021r\u003alocalhost","sender":"@a:localhost","type":"x"},"""
            + """{"event_id":"$a","room_id":"!r:localhost","sender":"@a:localhost","type":"x"}]}"""));

        Assert.Single(service.Record("!r:localhost"));
    }

    [Fact]
    public async Task Line_breaks_between_tokens_are_removed()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, Path1,
            "\r\n {\n \"events\" :\r\n [\n{\r\n  \"content\" : { \"body\":\"a  \\n  b\",\n\t\"msgtype\": \"m.text\"},\n\n  "
            + $"\"event_id\":\"$1\", \"room_id\":\"{room}\",\"sender\":\"@alice:localhost\",\"type\":\"m.room.message\"\n}}\n]\n}}\n"));

        Assert.Equal(
            "{\"content\" : { \"body\":\"a  \\n  b\",\"msgtype\": \"m.text\"},"
            + $"\"event_id\":\"$1\", \"room_id\":\"{room}\",\"sender\":\"@alice:localhost\",\"type\":\"m.room.message\"}}",
            WithoutReceivedTs(Assert.Single(service.Record(room))));
    }

    [Fact]
    public async Task A_hundred_events_of_64_KiB_are_one_transaction()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var events = Enumerable.Range(0, 100).Select(i => Some.Message(room, new string((char)('a' + (i % 26)), 64 * 1024))).ToList();

        Assert.Equal((200, "{}"), await service.PushAsync("1", events));

        Assert.Equal(events, service.Record(room).Select(WithoutReceivedTs));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"events":null}""")]
    [InlineData("""{"events":[]}""")]
    [InlineData("""{"ephemeral":[{"type":"m.typing"}],"de.sorunome.msc2409.to_device":[{}],"x":{"events":[1]}}""")]
    public async Task A_transaction_without_events_is_acknowledged(string body)
    {
        using var service = new ServiceUnderTest();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, Path1, body));

        Assert.Empty(service.WarningsAndErrors);
        Assert.Empty(QuarantineOf(service));
    }

    [Fact]
    public async Task Keys_other_than_events_are_ignored()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();

        Assert.Equal((200, "{}"),
            await service.SendAsync(HttpMethod.Put, Path1, $$"""{"ephemeral":[{}],"events":[{{Some.Message(room)}}],"to_device":1}"""));

        Assert.Single(service.Record(room));
        Assert.Empty(service.WarningsAndErrors);
    }

    public static TheoryData<string> Damaged =>
        ["", " ", "{\"events\":[{\"type\":\"m.room.mess", "{\"events\":[]}}", "<html>502</html>", "{\"events\":[],}", "{events:[]}",
            "{\"events\":[\"a\nb\"]}", "{} {}", "\u00ff"];

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task A_body_that_is_not_JSON_is_rejected_twice_and_then_quarantined(string body)
    {
        using var service = new ServiceUnderTest();
        var bytes = Encoding.Latin1.GetBytes(body);

        foreach (var times in new[] { 1, 2 })
        {
            var (status, answer) = await PutAsync(service, "7", bytes);
            Assert.Equal((400, "M_NOT_JSON"), (status, JsonDocument.Parse(answer).RootElement.GetProperty("errcode").GetString()));
            Assert.Equal(times, service.WarningsAndErrors.Count);
            Assert.Matches($@"^Rejected transaction ""?7""? \({bytes.Length} bytes\): .*\. A proxy may have damaged it",
                service.WarningsAndErrors[^1]);
            Assert.Empty(QuarantineOf(service));
        }

        Assert.Equal((200, "{}"), await PutAsync(service, "7", bytes));
        var kept = Assert.Single(QuarantineOf(service));
        Assert.Equal(bytes, kept.GetProperty("base64").GetBytesFromBase64());
        Assert.Equal("7", kept.GetProperty("transaction_id").GetString());
        Assert.Contains(service.Logged, e =>
            e.Level == LogEventLevel.Error && e.RenderMessage().Contains("quarantine", StringComparison.Ordinal));

        // The count of this transaction id is reset.
        Assert.Equal(400, (await PutAsync(service, "7", bytes)).Status);
        var room = Some.RoomId();
        Assert.Equal((200, "{}"), await service.PushAsync("7", Some.Message(room)));
        Assert.Single(service.Record(room));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("\"events\"")]
    [InlineData("-1")]
    [InlineData("""{"events":{}}""")]
    [InlineData("""{"events":"none"}""")]
    public async Task JSON_that_is_not_a_transaction_is_quarantined_and_acknowledged(string body)
    {
        using var service = new ServiceUnderTest();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, Path1, body));

        Assert.Equal(body, Assert.Single(QuarantineOf(service)).GetProperty("json").GetRawText());
        Assert.Contains(".quarantine", Assert.Single(service.WarningsAndErrors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_that_cannot_be_logged_are_quarantined_and_the_others_are_logged()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        string[] odd =
        [
            "1", "null", "[]", "\"!x\"", "{}", """{"room_id":"!a:b"}""", """{"event_id":"$1"}""", """{"event_id":"","room_id":"!a:b"}""",
            """{"event_id":1,"room_id":"!a:b"}""",
            """{"event_id":"$1","room_id":"a:b"}""", """{"event_id":"$1","room_id":["!a:b"]}""",
            $$"""{"event_id":null,"room_id":"{{room}}","deep":{{Nested(2000)}},"s":"\ud800"}""",
        ];

        Assert.Equal((200, "{}"), await service.PushAsync("1", [Some.Message(room, "before"), .. odd, Some.Message(room, "after")]));

        Assert.Equal(["<@alice:localhost> before", "<@alice:localhost> after"], service.Lines(room));
        Assert.Equal(odd, QuarantineOf(service).Select(line => line.GetProperty("json").GetRawText()));
        Assert.Equal(odd.Length, service.WarningsAndErrors.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_413_and_the_next_one_is_logged(bool chunked)
    {
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" });
        var room = Some.RoomId();

        var (status, body) = await PutAsync(
            service, "1", Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(room, new string('x', 1 << 20))}]}}"), chunked);

        Assert.Equal((413, "M_TOO_LARGE"), (status, JsonDocument.Parse(body).RootElement.GetProperty("errcode").GetString()));
        Assert.Equal((200, "{}"),
            await PutAsync(service, "2", Encoding.UTF8.GetBytes($"{{\"events\":[{Some.Message(room, new string('x', 1_000_000))}]}}"),
            chunked));
        Assert.Single(service.Record(room));
    }

    [Fact]
    public async Task Bodies_in_flight_over_the_limit_are_503_until_the_others_are_done()
    {
        var (queried, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var room = Some.RoomId();
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" },
            homeserver: new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{room}}"]}""")
            .On(StubHomeserver.AliasesLine(room), async _ =>
            {
                queried.TrySetResult();
                await release.Task;
                return new(200, """{"aliases":["#logged_x:localhost"]}""");
            }));
        var first = service.PushAsync("1", Some.Message(room, new string('x', 700_000)));
        await queried.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);

        var refused = await service.PushAsync("2", Some.Message(Some.RoomId(), new string('x', 700_000)));

        Assert.Equal((503, "M_LIMIT_EXCEEDED"),
            (refused.Status, JsonDocument.Parse(refused.Body).RootElement.GetProperty("errcode").GetString()));
        release.SetResult();
        Assert.Equal((200, "{}"), await first);
        Assert.Single(service.Record(room));
        Assert.Equal((200, "{}"), await service.PushAsync("2", Some.Message(Some.RoomId(), new string('x', 700_000))));
    }

    [Fact]
    public async Task A_body_whose_client_disconnects_is_no_longer_in_flight()
    {
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:MaxBodyBytes"] = "1048576" });
        var body = $"{{\"events\":[{Some.Message(Some.RoomId(), new string('x', 700_000))}]}}";
        for (var i = 0; i < 3; i++)
        {
            // With Expect, the 100 shows that the body is being read.
            using var slow = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port);
            await slow.SendAsync(RawConnection.TransactionHead("1", body.Length)
                .Replace("Host:", "Expect: 100-continue\r\nHost:", StringComparison.Ordinal));
            await slow.ReadToAsync("\r\n\r\n", Bound);
            await slow.SendAsync(body[..^10]);
        }

        var status = 503;
        for (var end = DateTime.UtcNow + Bound; status == 503 && DateTime.UtcNow < end;)
        {
            (status, _) = await service.SendAsync(HttpMethod.Put, "/_matrix/app/v1/transactions/2", body);
        }

        Assert.Equal(200, status);
    }

    [Fact]
    public async Task A_client_that_disconnects_after_the_body_cancels_nothing()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<StubHomeserver.Response>(TaskCreationOptions.RunContinuationsAsynchronously);
        var room = Some.RoomId();
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{room}}"]}""")
            .On("GET /_matrix/client/v3/rooms/*", _ =>
            {
                asked.TrySetResult();
                return answer.Task;
            }));
        var body = $"{{\"events\":[{Some.Message(room)}]}}";
        using (var caller = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port))
        {
            await caller.SendAsync(RawConnection.TransactionHead("1", body.Length) + body);
            await asked.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);
        }

        // The response is held until another request, sent after the disconnect, has been served.
        Assert.Equal(200, (await service.SendAsync(HttpMethod.Post, "/_matrix/app/v1/ping", "{}")).Status);
        answer.SetResult(new(200, """{"aliases":["#logged_x:localhost"]}"""));

        await Wait.UntilAsync(() =>
            Directory.Exists(Path.Combine(service.Logs, room)) && service.Record(room).Count == 1, "the event is logged");
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task A_transaction_id_with_another_body_is_another_transaction()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();

        foreach (var text in new[] { "one", "two", "three" })
        {
            Assert.Equal((200, "{}"), await service.PushAsync("1", Some.Message(room, text)));
        }

        Assert.Equal(["<@alice:localhost> one", "<@alice:localhost> two", "<@alice:localhost> three"], service.Lines(room));
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private static string WithoutReceivedTs(string line)
    {
        var at = line.LastIndexOf(",\"received_ts\":", StringComparison.Ordinal);
        Assert.Matches(@"^,""received_ts"":\d{13}}$", line[at..]);
        return line[..at] + "}";
    }

    private static List<JsonElement> QuarantineOf(ServiceUnderTest service)
    {
        var folder = Path.Combine(service.Logs, ".quarantine");
        return Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder).SelectMany(File.ReadAllLines)
                .Select(line => JsonElement.Parse(Encoding.UTF8.GetBytes(line), new JsonDocumentOptions { MaxDepth = 10_000 }))]
            : [];
    }

    private static async Task<(int Status, string Body)> PutAsync(ServiceUnderTest service, string id, byte[] body, bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/_matrix/app/v1/transactions/{id}");
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
