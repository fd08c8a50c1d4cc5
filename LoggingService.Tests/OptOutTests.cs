using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>What members do not want to be logged (<c>NoLogPrefix</c>) reaches no file.</summary>
public partial class OptOutTests
{
    private const string Stub = "<@alice:localhost, not logged> [not logged at the sender's wish]";
    private static readonly Dictionary<string, string> Prefix = new() { ["LoggingService:NoLogPrefix"] = "!nolog" };
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task A_message_with_the_prefix_is_logged_without_its_content()
    {
        using var service = new ServiceUnderTest(settings: Prefix);
        await service.PushAsync("1", Some.Message(_room, "before"), Some.Message(_room, "!nolog secret", "$m", at: 1795461611000));
        Assert.Equal(["<@alice:localhost> before", Stub], service.Lines(_room));
        var record = JsonNode.Parse(service.Record(_room)[1])!.AsObject();
        Assert.True(record.Remove("received_ts"));
        var expected = JsonNode.Parse(
            $$"""
            {"content":{},"event_id":"$m","origin_server_ts":1795461611000,"room_id":"{{_room}}","sender":"@alice:localhost",
             "type":"m.room.message","not_logged":true}
            """);
        Assert.True(JsonNode.DeepEquals(expected, record), record.ToJsonString());
        AssertNowhere(service.Logs, "secret");
    }

    [Theory]
    [InlineData("""{"body":"  !nolog secret","msgtype":"m.text"}""")]
    [InlineData("""{"body":"\u0021nolog secret","msgtype":"m.text"}""")]
    [InlineData("""{"body":"!nolog secret","msgtype":"m.image","url":"mxc://localhost/secret","filename":"secret.png"}""")]
    [InlineData("""{"body":"> <@bob:x> hi\n\n!nolog secret","msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$x"}}}""")]
    [InlineData("""{"body":"* secret","msgtype":"m.text","m.new_content":{"body":"!nolog secret","msgtype":"m.text"}}""")]
    [InlineData("""{"body":"* !nolog secret","msgtype":"m.text"}""")]
    public async Task The_prefix_is_found_in_captions_replies_and_edits(string content)
    {
        using var service = new ServiceUnderTest(settings: Prefix);
        await service.PushAsync("1", Event("$m", content));
        Assert.Equal([Stub], service.Lines(_room));
        AssertNowhere(service.Logs, "secret");
    }

    [Theory]
    [InlineData("""{"body":"say !nolog first","msgtype":"m.text"}""")]
    [InlineData("""{"body":"!no","msgtype":"m.text"}""")]
    [InlineData("""{"msgtype":"m.text"}""")]
    public async Task Other_messages_are_logged_as_they_were_pushed(string content)
    {
        using var service = new ServiceUnderTest(settings: Prefix);
        var e = Event("$m", content);
        await service.PushAsync("1", e);
        Assert.StartsWith(e[..^1], Assert.Single(service.Record(_room)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_setting_every_message_is_logged()
    {
        using var service = new ServiceUnderTest();
        await service.PushAsync("1", Some.Message(_room, "!nolog hello"));
        Assert.Equal(["<@alice:localhost> !nolog hello"], service.Lines(_room));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Later_edits_and_quotes_of_the_message_are_left_out(bool? isKilledBetween, bool isPrefixRemoved)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder, settings: Prefix);
        await service.PushAsync("1", Some.Message(_room, "!nolog secret", "$m"));
        if (isKilledBetween is { } isKilled)
        {
            folder = await service.StopAsync(folder, isKilled);
            service = new ServiceUnderTest(folder: folder, settings: isPrefixRemoved ? [] : Prefix);
        }

        await service.PushAsync(
            "2",
            Edit,
            Event("$edit2", """
                {"body":"* secret again","msgtype":"m.text","m.new_content":{"body":"secret again","msgtype":"m.text"},
                 "m.relates_to":{"rel_type":"m.replace","event_id":"$edit"}}
                """),
            Event("$reply", """
                {"body":"> <@alice:localhost> !nolog secret\n> secret\n\nI see","msgtype":"m.text","format":"org.matrix.custom.html",
                 "formatted_body":"<mx-reply><blockquote>secret</blockquote></mx-reply><b>I see</b>","x":[1, 2],
                 "org.matrix.msc1767.text":"secret","m.relates_to":{"m.in_reply_to":{"event_id":"$m"}}}
                """, "@bob:localhost"),
            Event("$editOfReply", """
                {"body":"* > <@alice:localhost> secret\n\n* I see now","msgtype":"m.text","m.new_content":
                 {"body":"> <@alice:localhost> secret\n\nI see now","msgtype":"m.text"},
                 "m.relates_to":{"rel_type":"m.replace","event_id":"$reply"}}
                """, "@bob:localhost"));
        Assert.Equal(
            [
                Stub, Stub, Stub, "<@bob:localhost, to the message of @alice:localhost TIME> I see",
                "<@bob:localhost, edit of TIME> I see now",
            ],
            service.Lines(_room).Select(line => Time().Replace(line, "TIME")));
        var content = JsonNode.Parse(service.Record(_room)[3])!["content"];
        Assert.Equal("I see", content!["body"]!.GetValue<string>());
        Assert.Equal("<b>I see</b>", content["formatted_body"]!.GetValue<string>());
        Assert.Equal("[1,2]", content["x"]!.ToJsonString());
        AssertNowhere(service.Logs, "secret");
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Edits_are_left_out_where_the_message_of_a_killed_process_can_not_be_written_yet()
    {
        var folder = TempFolder.ForCaller();
        var killed = new ServiceUnderTest(folder: folder, settings: Prefix);
        await killed.PushAsync("1", Some.Message(_room, "!nolog secret", "$m"));
        using var next = await killed.StopAsync(folder, isKilled: true);
        Directory.Delete(next["logs", _room], recursive: true);
        await File.WriteAllTextAsync(next["logs", _room], "", TestContext.Current.CancellationToken);

        using var service = new ServiceUnderTest(folder: next) { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        await service.PushAsync("2", Edit);
        File.Delete(next["logs", _room]);
        await Wait.UntilAsync(
            () => File.Exists(next["logs", _room, "latest.log"]) && service.Lines(_room).Count == 2, "both are logged");
        Assert.Equal([Stub, Stub], service.Lines(_room));
        AssertNowhere(service.Logs, "secret");
    }

    [Fact]
    public async Task Edits_are_left_out_once_the_log_of_the_message_can_be_read_again()
    {
        var folder = TempFolder.ForCaller();
        var first = new ServiceUnderTest(folder: folder, settings: Prefix);
        await first.PushAsync("1", Some.Message(_room, "!nolog secret", "$m"));
        using var next = await first.StopAsync(folder, isKilled: false);
        Directory.Move(next["logs", _room], next["aside"]);
        await File.WriteAllTextAsync(next["logs", _room], "", TestContext.Current.CancellationToken);

        using var service = new ServiceUnderTest(folder: next, settings: Prefix) { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        var reply = Event("$reply", """{"body":"hi","msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$m"}}}""");
        Assert.Equal(200, (await service.PushAsync("2", reply)).Status);
        File.Delete(next["logs", _room]);
        Directory.Move(next["aside"], next["logs", _room]);
        await service.PushAsync("3", Edit);
        await Wait.UntilAsync(() => service.Lines(_room).Count == 3, "all are logged");
        Assert.Equal(Stub, service.Lines(_room)[^1]);
        AssertNowhere(service.Logs, "secret now");
    }

    [Fact]
    public async Task Edits_are_left_out_also_where_only_the_record_tells_that_the_message_was()
    {
        var folder = TempFolder.ForCaller();
        var first = new ServiceUnderTest(folder: folder, settings: Prefix);
        await first.PushAsync("1", Some.Message(_room, "!nolog secret", "$m"));
        using var next = await first.StopAsync(folder, isKilled: false);

        // As if it could not be written.
        File.Delete(next["logs", _room, "room.json"]);
        using var service = new ServiceUnderTest(folder: next, settings: Prefix);
        await service.PushAsync("2", Edit);
        Assert.Equal([Stub, Stub], service.Lines(_room));
    }

    [Fact]
    public async Task What_a_killed_process_logged_is_not_kept_because_it_claims_not_to_be_logged()
    {
        var folder = TempFolder.ForCaller();
        var killed = new ServiceUnderTest(folder: folder, settings: Prefix);
        await killed.PushAsync("1", Event("$claim", """{"body":"hello","msgtype":"m.text"},"not_logged":true"""));
        await killed.PushAsync("2", Some.Message(_room, "!nolog secret", "$m"));
        using var next = await killed.StopAsync(folder, isKilled: true);
        using var service = new ServiceUnderTest(folder: next, settings: Prefix);
        _ = service.Client;
        var logs = service.Services.GetRequiredService<LogDirectory>();
        await logs.CaughtUpAsync();
        Assert.Equal([new("$m", true)], logs.ReplayedNotLogged[_room]);
    }

    [Fact]
    public async Task A_transaction_with_an_edit_does_not_wait_for_the_room_logs()
    {
        using var service = new ServiceUnderTest(settings: Prefix) { IsWriterStalled = true };
        using var resume = new ManualResetEventSlim();
        var logs = service.Services.GetRequiredService<LogDirectory>();
        logs.Written += _ => resume.Wait(TestContext.Current.CancellationToken);
        try
        {
            await service.PushAsync("1", Some.Message(Some.RoomId()));
            Assert.Equal(200, (await service.PushAsync("2", Some.Message(_room, "!nolog secret", "$m"), Edit)).Status);
            Assert.False(File.Exists(Path.Combine(service.Logs, _room, "latest.log")));
        }
        finally
        {
            resume.Set();
        }

        await logs.CaughtUpAsync();
        Assert.Equal([Stub, Stub], service.Lines(_room));
    }

    [Fact]
    public async Task A_pushed_event_that_claims_not_to_be_logged_keeps_its_content()
    {
        using var service = new ServiceUnderTest(settings: Prefix);
        await service.PushAsync("1", Event("$m", """{"body":"hello","msgtype":"m.text"},"not_logged":true"""));
        Assert.Equal(["<@alice:localhost> hello"], service.Lines(_room));
    }

    [Fact]
    public async Task A_message_that_is_sent_again_is_logged_once()
    {
        using var service = new ServiceUnderTest(settings: Prefix);
        await service.PushAsync("1", Some.Message(_room, "!nolog secret", "$m"));
        await service.PushAsync("2", Some.Message(_room, "!nolog secret", "$m"));
        Assert.Equal([Stub], service.Lines(_room));
    }

    [GeneratedRegex(@"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d( \$\w+)?")]
    private static partial Regex Time();

    private string Edit => Event("$edit", """
        {"body":"* secret now","msgtype":"m.text","m.new_content":{"body":"secret now","msgtype":"m.text"},
         "m.relates_to":{"rel_type":"m.replace","event_id":"$m"}}
        """);

    private string Event(string id, string content, string sender = "@alice:localhost") =>
        $$"""
        {"event_id":"{{id}}","room_id":"{{_room}}","type":"m.room.message","sender":"{{sender}}","origin_server_ts":1795461611000,
        "content":{{content}}}
        """.ReplaceLineEndings("");

    private static void AssertNowhere(string logs, string word)
    {
        var files = Directory.GetFiles(logs, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files.Where(file => Path.GetFileName(file) != ".lock"), file =>
            Assert.DoesNotContain(word, Encoding.Latin1.GetString(File.ReadAllBytes(file)), StringComparison.Ordinal));
    }
}
