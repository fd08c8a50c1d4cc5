using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The text of a record can be made again, and be made of a record from elsewhere.</summary>
public class RenderCommandTests
{
    [Fact]
    public async Task What_is_rendered_is_the_text_that_the_service_wrote()
    {
        using var service = new ServiceUnderTest();
        foreach (var request in RecordedTraffic.Read("everyday").Where(request => request.Method == "PUT"))
        {
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, request.Target, request.Body)).Status);
        }

        foreach (var record in Directory.GetFiles(service.Logs, "*.jsonl", SearchOption.AllDirectories))
        {
            Assert.Equal(await File.ReadAllLinesAsync(Path.ChangeExtension(record, ".log"), TestContext.Current.CancellationToken), await RenderAsync("", record));
        }
    }

    [Fact]
    public async Task A_days_lines_refer_to_the_day_before_that_lies_beside_it_or_is_named_before_it()
    {
        using var folder = TempFolder.ForCaller();
        var (room, hello) = (Some.RoomId(), Some.EventId());
        var reply = $$$"""{"event_id":"$2","room_id":"{{{room}}}","sender":"@bob:localhost","type":"m.room.message","origin_server_ts":1795437080000,"content":{"msgtype":"m.text","body":"me too","m.relates_to":{"m.in_reply_to":{"event_id":"{{{hello}}}"} } } }""";
        Write("20261122.jsonl", $$$"""{"event_id":"{{{hello}}}","room_id":"{{{room}}}","sender":"@alice:localhost","type":"m.room.message","origin_server_ts":1795437020000,"content":{"msgtype":"m.text","body":"hello"} }""");
        Write("20261123.jsonl", reply);
        Write("elsewhere.jsonl", reply);
        const string line = "2026-11-23 12:31:20 +00:00 <@bob:localhost, to @alice:localhost 12:30:20 \"hello\"> me too";

        Assert.Equal([line], await RenderAsync("", folder["20261123.jsonl"]));
        Assert.Equal(["2026-11-23 12:30:20 +00:00 <@alice:localhost> hello", line], await RenderAsync("", folder["20261122.jsonl"], folder["elsewhere.jsonl"]));
        Assert.Equal([$"2026-11-23 12:31:20 +00:00 <@bob:localhost, to {hello}> me too"], await RenderAsync("", folder["elsewhere.jsonl"]));

        void Write(string name, string text) => File.WriteAllText(folder[name], text + "\n");
    }

    [Fact]
    public async Task Each_rooms_first_day_has_its_own_day_before()
    {
        using var folder = TempFolder.ForCaller();
        foreach (var room in new[] { "r1", "r2" })
        {
            Directory.CreateDirectory(folder[room]);
            Write("20261122", $$"""{"msgtype":"m.text","body":"hello from {{room}}"}""", "hello");
            Write("20261123", """{"msgtype":"m.text","body":"me too","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}""", "reply");

            void Write(string day, string content, string id) => File.WriteAllText(
                folder[room, $"{day}.jsonl"],
                $$"""{"event_id":"${{id}}","room_id":"!{{room}}:x","sender":"@bob:x","type":"m.room.message","origin_server_ts":1795437080000,"content":{{content}}}""" + "\n");
        }

        var lines = await RenderAsync("", folder["r1", "20261123.jsonl"], folder["r2", "20261123.jsonl"]);
        Assert.Equal(["<@bob:x, to @bob:x 12:31:20 \"hello from r1\"> me too", "<@bob:x, to @bob:x 12:31:20 \"hello from r2\"> me too"], lines.Select(line => line[27..]));
    }

    [Fact]
    public async Task A_byte_order_mark_before_the_first_line_is_no_part_of_it()
    {
        using var folder = TempFolder.ForCaller();
        File.WriteAllText(folder["a.jsonl"], Some.Message("!a:localhost") + "\n" + Some.Message("!a:localhost", "\uFEFF") + "\n", new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal(["<@alice:localhost> hello", "<@alice:localhost> \\u{FEFF}"], (await RenderAsync("", folder["a.jsonl"])).Select(line => line[27..]));
    }

    [Fact]
    public async Task Standard_input_is_a_record_too_and_each_of_its_lines_is_a_line()
    {
        var lines = await RenderAsync(
            """
            {"event_id":"$1","room_id":"!a:localhost","sender":"@alice:localhost","type":"m.room.message","origin_server_ts":1795437020000,"content":{"msgtype":"m.text","body":"hello"}}
            no event
            {"event_id":"$2","room_id":"!a:localhost","sender":"@alice:localhost","type":"m.room.message","origin_server_ts":1795437020000,"content":{"msgtype":"m.text","body":"without a line break"}}
            """, "-");
        Assert.Equal(["<@alice:localhost> hello", "*** (a line of the record that is no event)", "<@alice:localhost> without a line break"], lines.Select(line => line[27..]));
    }

    [Fact]
    public async Task A_record_that_is_not_there_is_one_line()
    {
        await using var service = ServiceProcess.Start("/", "render", "/nowhere.jsonl");
        Assert.Equal(1, await service.WaitForExitAsync());
        Assert.Contains("/nowhere.jsonl can't be read", Assert.Single(service.StandardError), StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<string>> RenderAsync(string input, params string[] records)
    {
        await using var service = ServiceProcess.StartTyping(input, "/", ["render", .. records]);
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Empty(service.StandardError);
        return service.Output;
    }
}
