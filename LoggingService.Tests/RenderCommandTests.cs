using System.IO.Compression;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command render writes the text of any record, also of a foreign one.</summary>
public class RenderCommandTests
{
    [Fact]
    public async Task The_rendered_text_equals_the_text_that_the_service_wrote()
    {
        using var service = new ServiceUnderTest();
        foreach (var request in RecordedTraffic.Read("everyday").Where(request => request.Method == "PUT"))
        {
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, request.Target, request.Body)).Status);
        }

        foreach (var record in Directory.GetFiles(service.Logs, "*.jsonl", SearchOption.AllDirectories))
        {
            var written = await File.ReadAllLinesAsync(Path.ChangeExtension(record, ".log"), TestContext.Current.CancellationToken);
            Assert.Equal(written, await RenderAsync("", record));
        }
    }

    [Fact]
    public async Task Lines_can_refer_to_the_previous_day_in_the_same_folder_or_in_the_preceding_argument()
    {
        using var folder = TempFolder.ForCaller();
        const string room = "!a:localhost";
        const string quoted = "2026-11-23 12:31:20 +00:00 <@bob:localhost, to @alice:localhost 12:30:20 \"hello\"> me too";
        var reply = Message("$2", room, "@bob:localhost", 1795437080000, """
            {"msgtype":"m.text","body":"me too","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}
            """);
        Write("20261122.jsonl", Message("$hello", room, "@alice:localhost", 1795437020000, """{"msgtype":"m.text","body":"hello"}"""));
        Write("20261123.jsonl", reply);
        Write("elsewhere.jsonl", reply);

        Assert.Equal([quoted], await RenderAsync("", folder["20261123.jsonl"]));
        Assert.Equal(
            ["2026-11-23 12:30:20 +00:00 <@alice:localhost> hello", quoted],
            await RenderAsync("", folder["20261122.jsonl"], folder["elsewhere.jsonl"]));
        Assert.Equal(
            ["2026-11-23 12:31:20 +00:00 <@bob:localhost, to $hello> me too"],
            await RenderAsync("", folder["elsewhere.jsonl"]));

        void Write(string name, string line) => File.WriteAllText(folder[name], line + "\n");
    }

    [Fact]
    public async Task The_first_file_of_each_room_refers_to_its_own_previous_day()
    {
        using var folder = TempFolder.ForCaller();
        foreach (var room in new[] { "r1", "r2" })
        {
            Directory.CreateDirectory(folder[room]);
            Write("20261122", $$"""{"msgtype":"m.text","body":"hello from {{room}}"}""", "$hello");
            Write("20261123", """{"msgtype":"m.text","body":"me too","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}""", "$reply");

            void Write(string day, string content, string id) =>
                File.WriteAllText(folder[room, $"{day}.jsonl"], Message(id, $"!{room}:x", "@bob:x", 1795437080000, content) + "\n");
        }

        var lines = await RenderAsync("", folder["r1", "20261123.jsonl"], folder["r2", "20261123.jsonl"]);
        Assert.Equal(
            ["<@bob:x, to @bob:x 12:31:20 \"hello from r1\"> me too", "<@bob:x, to @bob:x 12:31:20 \"hello from r2\"> me too"],
            lines.Select(line => line[27..]));
    }

    [Fact]
    public async Task A_byte_order_mark_before_the_first_line_is_skipped()
    {
        using var folder = TempFolder.ForCaller();
        var record = Some.Message("!a:localhost") + "\n" + Some.Message("!a:localhost", "\uFEFF") + "\n";
        File.WriteAllText(folder["a.jsonl"], record, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        var lines = await RenderAsync("", folder["a.jsonl"]);
        Assert.Equal(["<@alice:localhost> hello", "<@alice:localhost> \\u{FEFF}"], lines.Select(line => line[27..]));
    }

    [Fact]
    public async Task Standard_input_is_rendered_line_by_line()
    {
        const string content = """{"msgtype":"m.text","body":"hello"}""";
        const string last = """{"msgtype":"m.text","body":"without a line break"}""";
        var lines = await RenderAsync(
            $"""
            {Message("$1", "!a:localhost", "@alice:localhost", 1795437020000, content)}
            no event
            {Message("$2", "!a:localhost", "@alice:localhost", 1795437020000, last)}
            """, "-");
        Assert.Equal(
            ["<@alice:localhost> hello", "*** (a line of the record that is no event)", "<@alice:localhost> without a line break"],
            lines.Select(line => line[27..]));
    }

    [Fact]
    public async Task A_missing_record_is_one_line()
    {
        await using var service = ServiceProcess.Start("/", "render", "/nowhere.jsonl");
        Assert.Equal(1, await service.WaitForExitAsync());
        Assert.Contains("Failed to read /nowhere.jsonl: ", Assert.Single(service.StandardError), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_record_is_one_line_with_what_to_do()
    {
        using var folder = TempFolder.ForCaller();
        var text = folder["20261123.log"];
        await File.WriteAllTextAsync(text, "2026-11-23 13:31:20 +00:00 <@alice:localhost> hello\n", TestContext.Current.CancellationToken);
        var compressed = folder["20261122.jsonl.zst"];
        await File.WriteAllBytesAsync(compressed, [0x28, 0xB5, 0x2F, 0xFD, 0, 0], TestContext.Current.CancellationToken);

        await ServiceProcess.AssertOneLineAsync(
            1, folder, $"{folder.Path} is a folder. Name its records: {folder.Path}/*.jsonl", "render", folder.Path);
        await ServiceProcess.AssertOneLineAsync(
            1, folder, $"{text} is a text. Name its record: {folder["20261123.jsonl"]}", "render", text);
        await ServiceProcess.AssertOneLineAsync(
            1, folder, $"{compressed} is compressed. Decompress it first: zcat FILE.gz | LoggingService render -", "render", compressed);
        await ServiceProcess.AssertOneLineAsync(
            1, folder, $"{text}.gz is a text. Name its record: {folder["20261123.jsonl"]}.gz", "render", $"{text}.gz");
    }

    [Fact]
    public async Task Records_that_gzip_compressed_are_rendered_and_damaged_ones_are_one_line()
    {
        using var folder = TempFolder.ForCaller();
        const string room = "!a:localhost";
        const string hello = """{"msgtype":"m.text","body":"hello"}""";
        const string reply = """{"msgtype":"m.text","body":"me too","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}""";
        Write("20261122.jsonl.gz", Message("$hello", room, "@alice:localhost", 1795437020000, hello));
        Write("20261123.jsonl.gz", Message("$2", room, "@bob:localhost", 1795437080000, reply));
        const string quoted = "2026-11-23 12:31:20 +00:00 <@bob:localhost, to @alice:localhost 12:30:20 \"hello\"> me too";
        Assert.Equal([quoted], await RenderAsync("", folder["20261123.jsonl.gz"]));
        Assert.Equal(
            ["2026-11-23 12:30:20 +00:00 <@alice:localhost> hello", quoted],
            await RenderAsync("", folder["20261122.jsonl.gz"], folder["20261123.jsonl.gz"]));

        using (var file = File.OpenWrite(folder["20261122.jsonl.gz"]))
            file.SetLength(file.Length - 20);
        await using var service = ServiceProcess.Start(folder.Path, "render", folder["20261122.jsonl.gz"]);
        Assert.Equal(1, await service.WaitForExitAsync());
        Assert.Contains($"Failed to read {folder["20261122.jsonl.gz"]}: ", Assert.Single(service.StandardError), StringComparison.Ordinal);

        void Write(string name, string line)
        {
            using var file = new GZipStream(File.Create(folder[name]), CompressionLevel.Fastest);
            file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        }
    }

    private static string Message(string id, string roomId, string sender, long at, string content) =>
        $$"""{"event_id":"{{id}}","room_id":"{{roomId}}","sender":"{{sender}}","type":"m.room.message","origin_server_ts":{{at}},"""
        + $$"""
        "content":{{content}}}
        """;

    private static async Task<IReadOnlyList<string>> RenderAsync(string input, params string[] records)
    {
        await using var service = ServiceProcess.StartTyping(input, "/", ["render", .. records]);
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Empty(service.StandardError);
        return service.Output;
    }
}
