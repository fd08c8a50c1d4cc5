using System.Diagnostics;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service and a real Synapse: users join rooms and send events, which are logged.</summary>
public partial class RealSynapseTests
{
    [Fact]
    public async Task After_the_first_start_and_the_registration_joining_a_missing_alias_creates_a_logged_room()
    {
        // Synapse has another registration: the admin hasn't copied the new one yet.
        await using var run = await SynapseAndService.StartAsync(startService: false);
        var port = FreePort.Next();
        run.StartService("--urls", $"http://localhost:{port}");
        await run.Service.WaitForLineAsync("^Created .*/registration.yaml with new tokens");
        await run.Service.WaitForLineAsync(
            "WRN The registration check failed for .*/registration.yaml: the homeserver rejects its as_token "
            + ".*app_service_config_files");

        var registration = await File.ReadAllTextAsync(run.Folder["registration.yaml"], TestContext.Current.CancellationToken);
        await run.Synapse.StopAsync();
        await run.Synapse.ReplaceRegistrationAsync(registration.Replace("http://localhost:5000", $"http://localhost:{port}"));
        await run.Synapse.StartProcessAsync();
        await run.WaitUntilConnectedAsync();

        string[] arguments = ["-F", "-n", "+1", "-s", "0.1", run.Folder["logs", "logged_hello", "latest.log"]];
        using var tail = ChildProcess.Start(new ProcessStartInfo("tail", arguments));
        try
        {
            var alice = await run.RegisterAsync("alice");
            var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");
            await alice.SayAsync(room, "hello, is anybody there?");

            using var limit = new CancellationTokenSource(ServiceProcess.DefaultLimit);
            string? line;
            do
            {
                line = await tail.StandardOutput.ReadLineAsync(limit.Token);
            }
            while (line is not null && !line.Contains("hello, is anybody there?"));

            Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+\d\d:\d\d <@alice:localhost> hello, is anybody there\?$", line);
            Assert.Equal(room, run.Link("logged_hello"));
        }
        finally
        {
            tail.Kill();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    public async Task All_users_who_join_a_missing_alias_at_the_same_time_are_in_one_room(int millisecondsApart)
    {
        await using var run = await SynapseAndService.StartAsync();
        var users = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => run.RegisterAsync($"user{i}")));
        foreach (var alias in Enumerable.Range(1, 4).Select(i => $"#logged_crowd{i}:localhost"))
        {
            var joins = await Task.WhenAll(users.Select(async (user, i) =>
            {
                await Task.Delay(i * millisecondsApart, TestContext.Current.CancellationToken);
                return await user.JoinAsync(alias);
            }));

            Assert.All(joins, join => Assert.Equal(200, join.Status));
            Assert.Single(joins.Select(join => join.RoomId).Distinct());
        }
    }

    [Fact]
    public async Task Each_kind_of_event_is_recorded_once_and_rendered()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var bob = await run.RegisterAsync("bob");
        var room = await alice.CreatePublicRoomAsync();
        await alice.PutAliasAsync("#logged_kinds:localhost", room);

        var hello = await alice.SayAsync(room, "hello\nworld");
        await Message("m.notice", "build passed");
        await Message("m.emote", "waves");
        var mxc = await alice.UploadAsync(new byte[1500], "cat.png", "image/png");
        await Media("m.image", "cat.png", new { w = 640, h = 480, size = 1500 });
        await Media("m.file", "report.pdf", new { size = 999 });
        await Media("m.audio", "song.ogg", new { duration = 201_000, size = 3_100_000 });
        await Media("m.video", "clip.mp4", new { duration = 61_000, w = 640, h = 360 });
        await alice.SendAsync(room, "m.room.message", new { msgtype = "m.location", body = "Malmö", geo_uri = "geo:55.6,13.0" });
        await alice.SendAsync(room, "m.sticker", new { body = "parrot", url = mxc, info = new { w = 128, h = 128 } });
        await alice.SendAsync(room, "m.room.message", $$$"""
            {"msgtype":"m.text","body":"hello yourself","m.relates_to":{"m.in_reply_to":{"event_id":"{{{hello}}}"} } }
            """);
        await alice.SendAsync(room, "m.room.message", $$$"""
            {
                "msgtype":"m.text","body":"* hello, world","m.new_content":{"msgtype":"m.text","body":"hello, world"},
                "m.relates_to":{"rel_type":"m.replace","event_id":"{{{hello}}}"}
            }
            """);
        var reaction = await alice.SendAsync(room, "m.reaction", $$$"""
            {"m.relates_to":{"rel_type":"m.annotation","event_id":"{{{hello}}}","key":"👍"}}
            """);
        await alice.RedactAsync(room, hello, "typo");
        await alice.RedactAsync(room, reaction);
        await alice.SetStateAsync(room, "m.room.name", new { name = "Kitchen" });
        await alice.SetStateAsync(room, "m.room.topic", new { topic = "What's for dinner" });
        await alice.InviteAsync(room, bob.Id, "come in");
        await bob.LeaveAsync(room);
        await bob.JoinAsync(room);
        await bob.SetDisplayNameAsync("Bobby");

        // Synapse sends the new name to the rooms after its response.
        await run.WaitUntilAsync(() => run.Text(room) is [.., var line] && line.EndsWith("to \"Bobby\""), "the new name is in the text");
        await alice.KickAsync(room, bob.Id, "enough");
        await alice.BanAsync(room, bob.Id);
        await alice.UnbanAsync(room, bob.Id);
        await bob.JoinAsync(room);
        await bob.LeaveAsync(room, "bye");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "that's all"));

        Assert.Equal(
            [
                "<@alice:localhost> hello␊world",
                "-@alice:localhost- build passed",
                "* @alice:localhost waves",
                $"<@alice:localhost, image cat.png, 640×480, 1.5 KB, {mxc}>",
                $"<@alice:localhost, file report.pdf, 999 B, {mxc}>",
                $"<@alice:localhost, audio song.ogg, 3:21, 3.1 MB, {mxc}>",
                $"<@alice:localhost, video clip.mp4, 640×360, 1:01, {mxc}>",
                "<@alice:localhost, location 55.6,13.0> Malmö",
                $"<@alice:localhost, sticker \"parrot\", 128×128, {mxc}>",
                "<@alice:localhost, to @alice:localhost TIME \"hello␊world\"> hello yourself",
                "<@alice:localhost, edit of TIME> hello, world",
                "*** @alice:localhost reacted \"👍\" to @alice:localhost TIME \"hello, world\"",
                "*** @alice:localhost removed the message of @alice:localhost TIME: \"typo\"",
                "*** @alice:localhost removed the reaction \"👍\" of @alice:localhost TIME to the removed message of @alice:localhost TIME",
                "*** @alice:localhost set the room name to \"Kitchen\"",
                "*** @alice:localhost set the topic to \"What's for dinner\"",
                "*** @bob:localhost was invited by @alice:localhost: \"come in\"",
                "*** @bob:localhost rejected the invitation",
                "*** @bob:localhost joined",
                "*** @bob:localhost changed their name from \"bob\" to \"Bobby\"",
                "*** @bob:localhost was kicked by @alice:localhost: \"enough\"",
                "*** @bob:localhost was banned by @alice:localhost",
                "*** @bob:localhost was unbanned by @alice:localhost",
                "*** @bob:localhost joined as \"Bobby\"",
                "*** @bob:localhost left: \"bye\"",
                "<@alice:localhost> that's all",
            ],
            run.Text(room).Select(line => SameSecondId().Replace(Time().Replace(line, "TIME"), "TIME")));
        Assert.Distinct(run.RecordedIds(room));

        Task<string> Message(string type, string body) => alice.SendAsync(room, "m.room.message", new { msgtype = type, body });
        Task<string> Media(string type, string body, object info) =>
            alice.SendAsync(room, "m.room.message", new { msgtype = type, body, info, url = mxc });
    }

    [GeneratedRegex(@"\b\d\d:\d\d:\d\d\b")]
    private static partial Regex Time();

    // Where it depends on the clock whether the second tells which event is meant.
    [GeneratedRegex(@"TIME \$[\w-]{43}")]
    private static partial Regex SameSecondId();
}
