using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command rooms lists the rooms of the logs.</summary>
public class RoomsCommandTests
{
    private const string Tea = "#logged_tea:localhost";
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    [Fact]
    public async Task Each_room_has_a_row_with_its_alias_name_state_size_and_days()
    {
        using var folder = await LoggedAsync();
        await using var process = ServiceProcess.Start(folder.Path, "rooms");
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Empty(process.StandardError);
        Assert.Equal(4, process.StandardOutput.Count);
        Assert.Matches("^ALIAS +NAME +STATE +EVENTS +SIZE +FIRST DAY +LAST DAY +LAST EVENT +ROOM$", process.StandardOutput[0]);
        Assert.Matches(
            @"^#logged_tea  Tea, and more  logged +3 +[\d.]+ KiB(  \d{4}-\d\d-\d\d){3} \d\d:\d\d:\d\d [+-]\d\d:\d\d  !tea:localhost$",
            process.StandardOutput[1]);
        Assert.Matches("^-  +-  +logged +1 .* !milk:localhost$", process.StandardOutput[2]);
        Assert.Matches("^-  +-  +encrypted +3 .* !secret:localhost$", process.StandardOutput[3]);
    }

    [Fact]
    public async Task As_json_the_rows_are_for_scripts()
    {
        using var folder = await LoggedAsync();
        await using var process = ServiceProcess.Start(folder.Path, "rooms", "--json");
        Assert.Equal(0, await process.WaitForExitAsync());
        var rooms = JsonElement.Parse(string.Join('\n', process.StandardOutput));
        Assert.Equal(3, rooms.GetArrayLength());
        var tea = rooms[0];
        Assert.Equal("!tea:localhost", tea.GetProperty("room_id").GetString());
        Assert.Equal("logged_tea", tea.GetProperty("links")[0].GetString());
        Assert.Equal("Tea, and more", tea.GetProperty("name").GetString());
        Assert.Equal("logged", tea.GetProperty("state").GetString());
        Assert.Equal(3, tea.GetProperty("events").GetInt64());
        Assert.Equal(
            new DirectoryInfo(folder["logs", "!tea:localhost"]).GetFiles().Where(file => file.LinkTarget is null).Sum(file => file.Length),
            tea.GetProperty("bytes").GetInt64());
        Assert.Equal(tea.GetProperty("first_day").GetString(), tea.GetProperty("last_day").GetString());
        Assert.True(tea.GetProperty("last_event").GetDateTimeOffset() > DateTimeOffset.UtcNow.AddMinutes(-10));
        Assert.Equal(JsonValueKind.Null, rooms[1].GetProperty("name").ValueKind);
    }

    [Fact]
    public async Task A_room_without_its_alias_and_a_room_that_waits_in_the_journal_say_so()
    {
        using var folder = await LoggedAsync();
        var record = Assert.Single(Directory.GetFiles(folder["logs", "!tea:localhost"], "*.jsonl"));
        await File.AppendAllTextAsync(
            record,
            """
            {"type":"logging.stopped","room_id":"!tea:localhost","event_id":"$n","content":{},"received_ts":1795437020000,"note":true}

            """,
            TestContext.Current.CancellationToken);
        Directory.CreateDirectory(folder["logs", ".journal", "!milk:localhost"]);
        await using var process = ServiceProcess.Start(folder.Path, "rooms", "--json");
        Assert.Equal(0, await process.WaitForExitAsync());
        var rooms = JsonElement.Parse(string.Join('\n', process.StandardOutput));
        Assert.Equal(
            ["alias gone", "parked", "encrypted"], rooms.EnumerateArray().Select(room => room.GetProperty("state").GetString()));
    }

    private async Task<TempFolder> LoggedAsync()
    {
        var folder = TempFolder.ForCaller();
        _homeserver.Alias(Tea, "!tea:localhost");
        var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        Assert.Equal((200, "{}"), await service.PushAsync(
            "1",
            Some.State("!tea:localhost", "m.room.name", """{"name":"Tea, and more"}"""),
            Some.CanonicalAlias("!tea:localhost", Tea),
            Some.Message("!tea:localhost"),
            Some.Message("!milk:localhost"),
            Some.State("!secret:localhost", "m.room.encryption", """{"algorithm":"m.megolm.v1.aes-sha2"}"""),
            Some.Message("!secret:localhost")));
        await Wait.UntilAsync(() => Directory.Exists(folder["logs", "logged_tea"]), "the link");
        await service.CaughtUpAsync();
        return await service.StopAsync(folder, isKilled: false);
    }
}
