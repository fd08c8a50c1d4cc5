using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Wishes of a room that are not applied when the service ends.</summary>
public class PendingWishTests
{
    private const string Note = "*** @alice:localhost set how the room is logged: not what begins with \"!off\"";
    private readonly string _room = Some.RoomId();

    [Theory]
    [InlineData("")]
    [InlineData("erase")]
    [InlineData("erase, which is killed")]
    [InlineData("backfill")]
    public async Task What_only_the_journal_of_a_killed_service_says_of_a_room_counts_after_the_next_start(string command)
    {
        Assert.SkipUnless(command is "" or "erase" or "backfill" || File.Exists("/usr/bin/strace"), "strace isn't installed here");
        var folder = TempFolder.ForCaller();

        // No checkpoint comes before the copy, however long the disk takes.
        var service = new ServiceUnderTest(new FakeTimeProvider(DateTimeOffset.UtcNow), folder);
        await PushAsync(
            service, State("m.room.create", """{"room_version":"11"}"""), PowerLevels,
            State("m.room.retention", """{"max_lifetime":1}"""), Wish);
        folder = await service.StopAsync(folder, isKilled: true);
        File.Delete(RoomFile(folder));
        await RunAsync(command, folder);
        service = new ServiceUnderTest(folder: folder);
        await AssertWishCountsAsync(service, folder, "\"max_lifetime\":1,", "topic_setters");
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Wishes_that_wait_for_the_homeserver_when_the_service_stops_count_after_the_next_start()
    {
        var path = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/";
        var homeserver = new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#logged_tea:localhost")
            .On(path + "m.room.create", 500, """{"errcode":"M_UNKNOWN","error":"later"}""");
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(homeserver: homeserver, folder: folder);
        await PushAsync(service, Wish);
        folder = await service.StopAsync(folder, isKilled: false);
        Assert.DoesNotContain("wishes_ts", await ReadAsync(folder), StringComparison.Ordinal);

        homeserver.On(path + "m.room.create", """{"room_version":"11","sender":"@carol:localhost"}""")
            .On(path + "m.room.power_levels", """{"users":{"@alice:localhost":50}}""");
        service = new ServiceUnderTest(homeserver: homeserver, folder: folder);
        _ = service.Client;
        await AssertWishCountsAsync(service, folder);
        await service.DisposeAsync();
        folder.Dispose();
    }

    private string PowerLevels => State("m.room.power_levels", """{"users":{"@alice:localhost":50}}""");

    private string Wish => State("com.loggingservice.room", """{"no_log_prefix":"!off"}""");

    private Task UntilNotedAsync(ServiceUnderTest service) => Wait.UntilAsync(
        () => File.Exists(Path.Combine(service.Logs, _room, "latest.log")) && service.Lines(_room).Contains(Note), "the wish is noted");

    private async Task RunAsync(string command, TempFolder folder)
    {
        if (command == "erase")
        {
            await using var erasing = ServiceProcess.Start(folder.Path, "erase", "--event", "$unknown", "--yes");
            Assert.Equal(0, await erasing.WaitForExitAsync());
        }
        else if (command == "backfill")
        {
            using var homeserver = new FakeHomeserver { History = new StubHistory(_room) };
            await File.WriteAllTextAsync(
                folder["registration.yaml"], ServiceUnderTest.RegistrationText(), TestContext.Current.CancellationToken);
            await using var filling = ServiceProcess.Start(folder.Path, "backfill", "--homeserver", homeserver.Address, _room);
            Assert.True(await filling.WaitForExitAsync() == 0, string.Join('\n', filling.Output));
        }
        else if (command.Length > 0)
        {
            // When it has emptied the journal and removes its request.
            await using var killed = ServiceProcess.StartUnder(
                [
                    "strace", "-D", "-f", "-o", "/dev/null", "-P", folder["logs", ".erase"], "-e", "trace=unlink,unlinkat",
                    "-e", "inject=unlink,unlinkat:signal=KILL:when=1",
                ],
                folder.Path, "erase", "--event", "$unknown", "--yes");
            Assert.NotEqual(0, await killed.WaitForExitAsync());
        }
    }

    /// <param name="kept">What <c>room.json</c> has then, too.</param>
    private async Task AssertWishCountsAsync(ServiceUnderTest service, TempFolder folder, params string[] kept)
    {
        _ = service.Client;
        await UntilNotedAsync(service);
        string[] all = ["wishes_ts", .. kept];
        await Wait.UntilAsync(
            async () => await ReadAsync(folder) is var text && all.All(words => text.Contains(words, StringComparison.Ordinal))
                && !text.Contains("pending_wishes", StringComparison.Ordinal),
            "the wish is applied");
        await PushAsync(service, Some.Message(_room, "!off secret"));
        Assert.Contains("<@alice:localhost, not logged> [not logged at the sender's wish]", service.Lines(_room));
        Assert.Single(service.Lines(_room), line => line == Note);
    }

    private static async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync($"{Guid.NewGuid()}", events)).Status);

    private string RoomFile(TempFolder folder) => folder["logs", _room, "room.json"];

    private async Task<string> ReadAsync(TempFolder folder) => File.Exists(RoomFile(folder))
        ? await File.ReadAllTextAsync(RoomFile(folder), TestContext.Current.CancellationToken)
        : "";

    private string State(string type, string content) => Some.State(_room, type, content);
}
