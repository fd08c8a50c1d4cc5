using System.IO.Compression;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command <c>export</c> copies a room's log, or all that the logs have of a user.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private const string Tea = "!tea:localhost";
    private const string Milk = "!milk:localhost";
    private readonly TempFolder _folder = TempFolder.ForCaller();

    [Fact]
    public async Task A_room_is_exported_as_text_with_its_compressed_days()
    {
        Write(Tea, "20261120", isCompressed: true, Message(Tea, "@alice:x", "first"));
        Write(Tea, "20261121", isCompressed: false, Message(Tea, "@bob:x", "second"));
        var output = await ExportAsync(Tea);
        Assert.Equal($"Exported 2 events of 2 days, 1 room, to {_folder["export"]}", Assert.Single(output));
        Assert.Equal(["text of first"], await ReadAsync(Tea, "20261120.log"));
        Assert.Equal(["text of second"], await ReadAsync(Tea, "20261121.log"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["export", Tea, "20261121.log"]));
        Assert.False(File.Exists(_folder["export", ".progress"]));
    }

    [Fact]
    public async Task A_text_that_does_not_match_its_record_is_rendered()
    {
        Write(Tea, "20261120", isCompressed: true, Message(Tea, "@alice:x", "hello", "$hello"));
        const string Reply = """{"body":"me too","msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}""";
        Write(Tea, "20261121", isCompressed: false, Message(Tea, "@bob:x", "me too", content: Reply));
        File.Delete(_folder["logs", Tea, "20261121.log"]);
        await ExportAsync(Tea);
        Assert.EndsWith("> me too", Assert.Single(await ReadAsync(Tea, "20261121.log")), StringComparison.Ordinal);
        Assert.Contains("to @alice:x", Assert.Single(await ReadAsync(Tea, "20261121.log")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_are_exported_byte_for_byte_between_two_days()
    {
        string[] events = [.. Enumerable.Range(20, 4).Select(day => Message(Tea, "@alice:x", $"on {day}"))];
        for (var i = 0; i < events.Length; i++)
        {
            Write(Tea, $"202611{20 + i}", isCompressed: i == 1, events[i]);
        }

        await ExportAsync(Tea, "--format", "jsonl", "--from", "2026-11-21", "--to", "20261122");
        Assert.Equal(["20261121.jsonl", "20261122.jsonl"], Directory.GetFiles(_folder["export", Tea]).Select(Path.GetFileName).Order());
        Assert.Equal([events[1]], await ReadAsync(Tea, "20261121.jsonl"));
    }

    [Fact]
    public async Task A_user_gets_their_own_events_of_all_rooms()
    {
        Write(Tea, "20261120", isCompressed: true, Message(Tea, "@alice:x", "mine"), Message(Tea, "@bob:x", "about @alice:x"));
        Write(Tea, "20261121", isCompressed: false, Message(Tea, "@bob:x", "theirs"), Message(Tea, "@alice:x.org", "another"));
        Write(Milk, "20261120", isCompressed: false, Message(Milk, "@alice:x", "mine, too"), Member(Milk, "@bob:x", "@alice:x"));
        var output = await ExportAsync("--user", "@alice:x");
        Assert.StartsWith("Exported 3 events of 3 days, 2 rooms", Assert.Single(output), StringComparison.Ordinal);
        Assert.Equal(["text of mine"], await ReadAsync(Tea, "20261120.log"));
        Assert.Equal(["text of mine, too", "text of invite"], await ReadAsync(Milk, "20261120.log"));
        Assert.False(File.Exists(_folder["export", Tea, "20261121.log"]));
    }

    [Fact]
    public async Task The_format_of_Element_is_one_file_with_the_rooms_events()
    {
        Write(
            Tea, "20261120", isCompressed: true, State(Tea, "m.room.create", "{}"), State(Tea, "m.room.name", """{"name":"Tea"}"""),
            State(Tea, "m.room.topic", """{"topic":"Leaves"}"""), Message(Tea, "@alice:x", "first"));
        Write(
            Tea, "20261121", isCompressed: false, Message(Tea, "@bob:x", "second"),
            $$"""{"content":{},"event_id":"logging.stopped-1","room_id":"{{Tea}}","type":"logging.stopped","received_ts":1,"note":true}""");
        await ExportAsync(Tea, "--format", "element");
        Assert.Equal(["!tea:localhost.json"], Directory.GetFileSystemEntries(_folder["export"]).Select(Path.GetFileName));
        var json = JsonElement.Parse(await File.ReadAllTextAsync(_folder["export", "!tea:localhost.json"], Cancellation));
        Assert.Equal("Tea", json.GetProperty("room_name").GetString());
        Assert.Equal("@alice:x", json.GetProperty("room_creator").GetString());
        Assert.Equal("Leaves", json.GetProperty("topic").GetString());
        Assert.Equal(
            ["m.room.create", "m.room.name", "m.room.topic", "m.room.message", "m.room.message"],
            json.GetProperty("messages").EnumerateArray().Select(e => e.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task An_interrupted_export_continues_with_the_next_day()
    {
        Write(Tea, "20261120", isCompressed: false, Message(Tea, "@alice:x", "first"));
        Write(Tea, "20261121", isCompressed: false, Message(Tea, "@alice:x", "second"));
        Write(Tea, "20261122", isCompressed: false, Message(Tea, "@alice:x", "third"));
        File.WriteAllBytes(_folder["logs", Tea, "20261121.jsonl.gz"], [1, 2, 3]);
        File.Delete(_folder["logs", Tea, "20261121.jsonl"]);
        await ServiceProcess.AssertOneLineAsync(1, _folder, "Failed to export 2026-11-21 of !tea:localhost", "export", Tea);

        File.Delete(_folder["logs", Tea, "20261121.jsonl.gz"]);
        Write(Tea, "20261121", isCompressed: false, Message(Tea, "@alice:x", "second"));
        await File.WriteAllTextAsync(_folder["export", Tea, "20261120.log"], "kept\n", Cancellation);
        await ServiceProcess.AssertOneLineAsync(1, _folder, "has another export, which was interrupted", "export", Tea, "--user", "@a:x");
        await ExportAsync(Tea);
        Assert.Equal(["kept"], await ReadAsync(Tea, "20261120.log"));
        Assert.Equal(["text of second"], await ReadAsync(Tea, "20261121.log"));
        Assert.Equal(["text of third"], await ReadAsync(Tea, "20261122.log"));

        await ExportAsync(Tea);
        Assert.Equal(["text of first"], await ReadAsync(Tea, "20261120.log"));
    }

    [Theory]
    [InlineData("export needs a room, or --user USER")]
    [InlineData("expected a full user id", "--user", "alice")]
    [InlineData("--from is \"yesterday\"; expected a date", "!tea:localhost", "--from", "yesterday")]
    [InlineData("--format is \"pdf\"; expected text, jsonl, element or html", "!tea:localhost", "--format", "pdf")]
    public async Task An_invalid_argument_is_one_line(string error, params string[] arguments)
    {
        Write(Tea, "20261120", isCompressed: false, Message(Tea, "@alice:x", "first"));
        await ServiceProcess.AssertOneLineAsync(78, _folder, error, ["export", .. arguments]);
    }

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<IReadOnlyList<string>> ExportAsync(params string[] arguments)
    {
        await using var process = ServiceProcess.Start(_folder.Path, ["export", .. arguments]);
        Assert.True(await process.WaitForExitAsync() == 0, string.Join('\n', process.Output));
        Assert.Empty(process.StandardError);
        return process.StandardOutput;
    }

    private Task<string[]> ReadAsync(string room, string file) => File.ReadAllLinesAsync(_folder["export", room, file], Cancellation);

    private static string Message(string room, string sender, string body, string? id = null, string? content = null) =>
        $$"""
        {"content":{{content ?? $$"""{"body":"{{body}}","msgtype":"m.text"}"""}},"event_id":"{{id ?? Some.EventId()}}",
        "room_id":"{{room}}","sender":"{{sender}}","type":"m.room.message","received_ts":1795461611000}
        """.ReplaceLineEndings("");

    private static string State(string room, string type, string content) =>
        $$"""
        {"content":{{content}},"event_id":"{{Some.EventId()}}","room_id":"{{room}}","sender":"@alice:x","state_key":"","type":"{{type}}",
        "received_ts":1795461611000}
        """.ReplaceLineEndings("");

    private static string Member(string room, string sender, string user) =>
        $$"""
        {"content":{"membership":"invite","body":"invite"},"event_id":"{{Some.EventId()}}","room_id":"{{room}}","sender":"{{sender}}",
        "state_key":"{{user}}","type":"m.room.member","received_ts":1795461611000}
        """.ReplaceLineEndings("");

    private void Write(string room, string day, bool isCompressed, params string[] events)
    {
        Directory.CreateDirectory(_folder["logs", room]);
        var texts = events.Select(e => JsonElement.Parse(e).GetProperty("content"))
            .Select(content => $"text of {(content.TryGetProperty("body", out var body) ? body.GetString() : "state")}");
        Write($"{day}.jsonl", events);
        Write($"{day}.log", texts);

        void Write(string name, IEnumerable<string> lines)
        {
            var content = string.Concat(lines.Select(line => line + "\n"));
            if (!isCompressed)
            {
                File.WriteAllText(_folder["logs", room, name], content);
                return;
            }

            using var file = new GZipStream(File.Create(_folder["logs", room, name + ".gz"]), CompressionMode.Compress);
            file.Write(System.Text.Encoding.UTF8.GetBytes(content));
        }
    }
}
