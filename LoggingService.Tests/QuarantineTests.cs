using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>Bodies and events that can't be logged are quarantined, and no transaction is retried forever.</summary>
public class QuarantineTests
{
    private const string Path1 = "/_matrix/app/v1/transactions/1";

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

    public static TheoryData<string> Damaged =>
        ["", " ", "{\"events\":[{\"type\":\"m.room.mess", "{\"events\":[]}}", "<html>502</html>", "{\"events\":[],}", "{events:[]}",
            "{\"events\":[\"a\nb\"]}", "{} {}", "\u00ff"];

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task A_body_that_is_not_JSON_is_rejected_twice_and_then_quarantined(string body)
    {
        using var service = new ServiceUnderTest();
        var bytes = Encoding.Latin1.GetBytes(body);

        foreach (var attempt in new[] { 1, 2 })
        {
            var (status, response) = await service.PutAsync("7", bytes);
            Assert.Equal((400, "M_NOT_JSON"), (status, JsonDocument.Parse(response).RootElement.GetProperty("errcode").GetString()));
            Assert.Equal(attempt, service.WarningsAndErrors.Count);
            Assert.Matches($@"^Rejected transaction ""?7""? \({bytes.Length} bytes\): .*\. A proxy may have damaged it",
                service.WarningsAndErrors[^1]);
            Assert.Empty(QuarantineOf(service));
        }

        Assert.Equal((200, "{}"), await service.PutAsync("7", bytes));
        var entry = Assert.Single(QuarantineOf(service));
        Assert.Equal(bytes, entry.GetProperty("base64").GetBytesFromBase64());
        Assert.Equal("7", entry.GetProperty("transaction_id").GetString());
        Assert.Contains(service.Logged, e =>
            e.Level == LogEventLevel.Error && e.RenderMessage().Contains("quarantine", StringComparison.Ordinal));

        // The count of this transaction id is reset.
        Assert.Equal(400, (await service.PutAsync("7", bytes)).Status);
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
        string[] unloggable =
        [
            "1", "null", "[]", "\"!x\"", "{}", """{"room_id":"!a:b"}""", """{"event_id":"$1"}""", """{"event_id":"","room_id":"!a:b"}""",
            """{"event_id":1,"room_id":"!a:b"}""",
            """{"event_id":"$1","room_id":"a:b"}""", """{"event_id":"$1","room_id":["!a:b"]}""",
            $$"""{"event_id":null,"room_id":"{{room}}","deep":{{Some.NestedArrays(2000)}},"s":"\ud800"}""",
        ];

        Assert.Equal((200, "{}"), await service.PushAsync("1", [Some.Message(room, "before"), .. unloggable, Some.Message(room, "after")]));

        Assert.Equal(["<@alice:localhost> before", "<@alice:localhost> after"], service.Lines(room));
        Assert.Equal(unloggable, QuarantineOf(service).Select(line => line.GetProperty("json").GetRawText()));
        Assert.Equal(unloggable.Length, service.WarningsAndErrors.Count);
    }

    [Fact]
    public async Task A_line_that_another_program_cut_is_kept()
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("1", """{"no":"event"}""")).Status);
        folder = await service.StopAsync(folder, isKilled: false);
        var file = Assert.Single(Directory.GetFiles(folder["logs", ".quarantine"]));
        var line = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, line[..^5] + "\0\0\0", TestContext.Current.CancellationToken);

        service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("2", """{"no":"event either"}""")).Status);
        await service.DisposeAsync();
        var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal([line[..^5]], lines[..^1]);
        Assert.Contains("event either", lines[^1], StringComparison.Ordinal);
        folder.Dispose();
    }

    private static List<JsonElement> QuarantineOf(ServiceUnderTest service)
    {
        var folder = Path.Combine(service.Logs, ".quarantine");
        return Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder).SelectMany(File.ReadAllLines)
                .Select(line => JsonElement.Parse(Encoding.UTF8.GetBytes(line), new JsonDocumentOptions { MaxDepth = 10_000 }))]
            : [];
    }
}
