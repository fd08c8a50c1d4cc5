using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What users redact in a real Synapse, with both values of the setting Redactions, and what <c>erase</c> leaves of it.</summary>
public class RealSynapseErasureTests
{
    private const string Secret = "zanzibar";

    [Theory]
    [InlineData("keep", "10")]
    [InlineData("erase", "10")]
    [InlineData("keep", "12")]
    [InlineData("erase", "12")]
    public async Task What_a_user_redacts_stays_or_is_erased_with_its_edits_and_quotations(string mode, string version)
    {
        await using var run = await SynapseAndService.StartAsync();
        Assert.Equal(0, await run.Service.StopAsync());
        run.StartService("--redactions", mode, "--room-may-set", "redactions");
        await run.WaitUntilConnectedAsync();
        var (alice, bob) = (await run.RegisterAsync("alice"), await run.RegisterAsync("bob"));
        var room = await alice.CreateRoomAsync(new { preset = "public_chat", room_alias_name = "logged_tea", room_version = version });
        (await bob.JoinAsync(room)).EnsureSuccess();
        var secret = await alice.SayAsync(room, $"the {Secret} words");
        await alice.SendAsync(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = $"* the {Secret} words, edited",
            ["m.new_content"] = new { msgtype = "m.text", body = $"the {Secret} words, edited" },
            ["m.relates_to"] = new { rel_type = "m.replace", event_id = secret },
        });
        await bob.SendAsync(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = $"> <@alice:localhost> the {Secret} words\n\nreally?",
            ["m.relates_to"] = new Dictionary<string, object> { ["m.in_reply_to"] = new { event_id = secret } },
        });
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "the next one"));
        var (before, ids) = (run.Text(room), run.RecordedIds(room));
        var redaction = await alice.RedactAsync(room, secret);
        await run.WaitUntilLoggedAsync(room, redaction);
        if (mode == "keep")
        {
            await EraseInRoomThatWishesItAsync(run, alice);
            Assert.Contains(run.Text(room), line => line == $"<@alice:localhost> the {Secret} words");
            Assert.Equal(before, run.Text(room).Take(before.Count));
            Assert.Equal(before.Count + 1, run.Text(room).Count);
            return;
        }

        await run.WaitUntilAsync(() => !HasSecret(run), "the words are erased", limit: TimeSpan.FromSeconds(60));
        Assert.Equal([.. ids, redaction], run.RecordedIds(room));
        var text = run.Text(room);
        Assert.Equal(2, text.Count(line => line == "<@alice:localhost, erased>"));
        Assert.Contains(
            text,
            line => line.StartsWith("<@bob:localhost, to the removed message of @alice:localhost ", StringComparison.Ordinal)
                && line.EndsWith("> really?", StringComparison.Ordinal));
        var stub = run.Record(room).First(e => e.GetProperty("event_id").GetString() == secret);
        Assert.Equal(redaction, stub.GetProperty("erased").GetString());
        await run.WaitUntilLoggedAsync(room, await bob.SayAsync(room, "after"));
        Assert.Contains("<@bob:localhost> after", run.Text(room));
        await AssertVerifiedAsync(run);
    }

    [Fact]
    public async Task The_command_erases_a_user_while_the_service_logs()
    {
        await using var run = await SynapseAndService.StartAsync();
        var (alice, bob) = (await run.RegisterAsync("alice"), await run.RegisterAsync("bob"));
        (await alice.SetDisplayNameAsync($"{Secret} Alice")).EnsureSuccess();
        var room = (await alice.JoinAsync("#logged_tea:localhost")).Get("room_id");
        (await bob.JoinAsync(room)).EnsureSuccess();
        await alice.SayAsync(room, $"the {Secret} words");
        await run.WaitUntilLoggedAsync(room, await bob.SayAsync(room, "hello"));
        await using (var command = ServiceProcess.Start(run.Folder.Path, ["erase", "--user", "@alice:localhost", "--yes"]))
        {
            Assert.True(await command.WaitForExitAsync() == 0, string.Join('\n', command.Output));
        }

        Assert.False(HasSecret(run));
        Assert.Contains("<@alice:localhost, erased>", run.Text(room));
        await run.WaitUntilLoggedAsync(room, await bob.SayAsync(room, "after"));
        await AssertVerifiedAsync(run);
    }

    /// <summary>What is redacted here is redacted later: when it is erased, the time for the other room has passed.</summary>
    private static async Task EraseInRoomThatWishesItAsync(SynapseAndService run, SynapseUser alice)
    {
        var room = await alice.CreatePublicRoomAsync("logged_wishing");
        (await (await run.GetServiceUserAsync()).JoinAsync(room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SetStateAsync(room, "com.loggingservice.room", new { redactions = "erase" }));
        await run.WaitUntilAsync(
            () => run.Text(room).Contains("*** @alice:localhost set how the room is logged: without removed messages"),
            "the wish is noted");
        await alice.RedactAsync(room, await alice.SayAsync(room, "to be erased"));
        await run.WaitUntilAsync(
            () => run.Text(room).Contains("<@alice:localhost, erased>"), "the other room is erased", limit: TimeSpan.FromSeconds(60));
    }

    private static bool HasSecret(SynapseAndService run) =>
        Directory.GetFiles(run.Folder["logs"], "*", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) != ".lock")
            .Any(path => ReadAll(path).Contains(Secret, StringComparison.OrdinalIgnoreCase));

    private static string ReadAll(string path)
    {
        try
        {
            return File.ReadAllText(path, System.Text.Encoding.Latin1);
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }

    private static async Task AssertVerifiedAsync(SynapseAndService run)
    {
        await using var verify = ServiceProcess.Start(run.Folder.Path, ["verify"]);
        Assert.True(await verify.WaitForExitAsync() == 0, string.Join('\n', verify.Output));
    }
}
