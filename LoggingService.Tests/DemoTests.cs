using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The demo shows the service without a homeserver.</summary>
public class DemoTests
{
    [Fact]
    public async Task The_demo_plays_a_recording_into_a_folder_and_shows_how_to_read_it()
    {
        using var folder = TempFolder.ForCaller();
        await PlayAsync(folder);
        var lines = await File.ReadAllLinesAsync(folder["demo-logs/logged_hiking/latest.log"], TestContext.Current.CancellationToken);
        Assert.Equal(Approved(), lines.Select(WithoutTimes));
        Assert.All(lines, line => Assert.True(DateTimeOffset.UtcNow - TimeOf(line) < TimeSpan.FromMinutes(5), line));
        Assert.Equal([folder["demo-logs"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_second_run_on_the_same_day_reads_as_the_first()
    {
        using var folder = TempFolder.ForCaller();
        await PlayAsync(folder);
        await PlayAsync(folder);

        var rooms = Directory.GetDirectories(folder["demo-logs"], "!*");
        Assert.Equal(2, rooms.Length);
        Assert.All(rooms, room => Assert.Equal(
            Approved(),
            File.ReadLines(Path.Combine(room, "latest.log")).Select(WithoutTimes)
                .Where(line => !line.StartsWith("*** the alias #logged_hiking:localhost was moved", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Typed_messages_are_logged()
    {
        using var folder = TempFolder.ForCaller();
        await using var demo = ServiceProcess.StartTyping("hello there\n\n/me waves\n", folder.Path, "demo", "--chat", "--logs", "here");

        Assert.Equal(0, await demo.WaitForExitAsync());
        var lines = await File.ReadAllLinesAsync(folder["here/logged_demo/latest.log"], TestContext.Current.CancellationToken);
        var user = demo.StandardOutput.Single(line => line.StartsWith("You are ", StringComparison.Ordinal)).Split(' ')[2];
        Assert.Equal(
            [$"*** {user} joined", $"<{user}> hello there", $"* {user} waves", $"*** {user} left"],
            lines.TakeLast(4).Select(line => line[27..]));
    }

    [Fact]
    public async Task The_demo_shows_its_room_as_a_web_page_until_it_ends()
    {
        using var folder = TempFolder.ForCaller();
        await using var demo = ServiceProcess.Start(folder.Path, "demo");
        var pages = (await demo.WaitForLineAsync("^To read the log in a browser: (http://127.0.0.1:[0-9]+/)$")).Groups[1].Value;
        using var client = new HttpClient();
        await Wait.UntilAsync(
            async () => (await client.GetStringAsync(new Uri(pages), TestContext.Current.CancellationToken)).Contains("logged_hiking"),
            "the room is shown");

        Assert.Equal(0, await demo.StopAsync());
        await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetStringAsync(new Uri(pages), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_stopped_demo_leaves_only_its_logs()
    {
        using var folder = TempFolder.ForCaller();
        using var temporary = TempFolder.ForCaller();
        var environment = new Dictionary<string, string?> { ["TMPDIR"] = temporary.Path };
        await using var demo = ServiceProcess.Start(folder.Path, environment, "demo");
        await demo.WaitForLineAsync("The log of #logged_hiking:localhost is in ");

        Assert.Equal(0, await demo.StopAsync());
        Assert.DoesNotContain(Directory.GetDirectories(temporary.Path), path => path.Contains("logging-demo", StringComparison.Ordinal));
        Assert.Empty(demo.StandardError);
    }

    [Fact]
    public async Task The_demo_reads_no_settings_in_the_current_folder()
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["appsettings.json"], "{", TestContext.Current.CancellationToken);

        await PlayAsync(folder);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"LoggingService": {"RetainDays": 0}}""")]
    public async Task The_demo_reads_no_settings_of_the_machine(string text)
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["machine.json"], text, TestContext.Current.CancellationToken);

        await PlayAsync(folder, new() { [MachineSettings.Variable] = folder["machine.json"] });
    }

    private static IEnumerable<string> Approved() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Traffic", "evening.txt"))
            .Where(line => line.Length > 0 && line[0] != '!')
            .Select(line => WithoutTimes(line.Replace("set who may read: members", "set who may read: anyone", StringComparison.Ordinal)));

    // A reference includes the date after midnight, and the event id where events have the same second.
    private static string WithoutTimes(string line) =>
        Regex.Replace(line[27..], @" (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d( \$[\w-]{43})?", " TIME");

    private static DateTimeOffset TimeOf(string line) => DateTimeOffset.Parse(line.AsSpan(0, 26), provider: null);

    private static async Task PlayAsync(TempFolder folder, Dictionary<string, string?>? environment = null)
    {
        await using var demo = ServiceProcess.Start(folder.Path, environment ?? [], "demo", "--fast");
        Assert.Equal(0, await demo.WaitForExitAsync());
        Assert.Contains($"  tail -F {folder["demo-logs/logged_hiking/latest.log"]}", demo.StandardOutput);
        Assert.Contains(demo.StandardOutput, line => line.StartsWith("End of the recording.", StringComparison.Ordinal));
        Assert.DoesNotContain(demo.Output, line => line.Contains(" WRN ") || line.Contains(" ERR "));
    }
}
