using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The events of a transaction are logged in order and byte for byte.</summary>
public class TransactionTests
{
    private const string Path1 = "/_matrix/app/v1/transactions/1";

    [Fact]
    public async Task Events_are_logged_in_the_order_of_the_push()
    {
        using var service = new ServiceUnderTest();
        var one = Some.RoomId();
        var two = Some.RoomId();
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
        { "nested 129 deep", $$"""{"content":{{Some.NestedArrays(129)}},""" },
        { "nested 30,000 deep", $$"""{"content":{{Some.NestedArrays(30_000)}},""" },
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

    private static string WithoutReceivedTs(string line)
    {
        var at = line.LastIndexOf(",\"received_ts\":", StringComparison.Ordinal);
        Assert.Matches(@"^,""received_ts"":\d{13}}$", line[at..]);
        return line[..at] + "}";
    }
}
