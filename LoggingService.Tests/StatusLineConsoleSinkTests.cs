using System.Diagnostics;
using System.Text.RegularExpressions;
using LoggingService.Logging;
using LoggingService.Tests.Support;
using Serilog.Events;
using Serilog.Formatting.Display;
using Serilog.Parsing;

namespace LoggingService.Tests;

/// <summary>On a terminal, the state of each check is a status line below the other lines.</summary>
public partial class StatusLineConsoleSinkTests
{
    private const int Width = 20;
    private static readonly string Program = string.Join(' ', ServiceProcess.Program);
    private readonly StringWriter _written = new();
    private readonly StatusLineConsoleSink _terminal;

    public StatusLineConsoleSinkTests() => _terminal =
        new StatusLineConsoleSink(_written, new MessageTemplateTextFormatter("{Message}{NewLine}"), () => Width);

    [Fact]
    public void The_state_of_a_check_is_replaced_and_stays_below_the_other_lines()
    {
        Write("one");
        Write("no homeserver", EventIds.CheckFailed, check: "homeserver");
        Write("not known", EventIds.CheckPending, check: "registration");
        Write("two");
        Assert.Equal(["one", "two", "no homeserver", "not known"], Screen());

        Write("a homeserver", EventIds.CheckPassed, check: "homeserver");
        Assert.Equal(["one", "two", "a homeserver", "not known"], Screen());

        Write("all is well", EventIds.HomeserverConnected);
        Write("three");
        Assert.Equal(["one", "two", "all is well", "three"], Screen());
    }

    [Theory]
    [InlineData(Width - 1)]
    [InlineData(Width)]
    [InlineData(Width + 1)]
    [InlineData(3 * Width)]
    public void A_line_wrapped_at_the_width_of_the_terminal_is_erased_completely(int length)
    {
        Write("one");
        Write($"\e[31m{new string('x', length)}\e[0m", EventIds.CheckFailed, check: "homeserver");
        Write("two", EventIds.CheckPassed, check: "homeserver");
        Assert.Equal(["one", "two"], Screen());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("1", false)]
    public async Task Colours_are_used_on_terminals_unless_NO_COLOR_is_set(string noColor, bool hasColours)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script is util-linux's.");
        using var folder = TempFolder.ForCaller();
        var command = $"{Program} demo --fast --logs logs";
        var start = new ProcessStartInfo("script", ["-qec", command, "/dev/null"]) { WorkingDirectory = folder.Path };
        start.Environment["TERM"] = "xterm";
        start.Environment["NO_COLOR"] = noColor;
        using var process = ChildProcess.Start(start);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(hasColours, output.Contains("\e[2m", StringComparison.Ordinal));
        Assert.Matches(
            @"(?m)^\d\d:\d\d:\d\d #logged_hiking:localhost <@farid:localhost> Fair enough\. The larches can wait\.\r?$",
            Colour().Replace(output, ""));
    }

    [Fact]
    public async Task A_terminal_shows_failed_and_pending_checks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script is util-linux's.");
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(
            folder["registration.yaml"], ServiceUnderTest.RegistrationText("http://127.0.0.1:5000"), TestContext.Current.CancellationToken);
        var command = $"{Program} --homeserver http://127.0.0.1:9 --urls http://127.0.0.1:0";
        var start = new ProcessStartInfo("script", ["-qefc", command, "/dev/null"]) { WorkingDirectory = folder.Path };
        start.Environment["TERM"] = "xterm";
        start.Environment["NO_COLOR"] = "";
        using var process = ChildProcess.Start(start);
        var screen = "";
        while (!Colour().Replace(screen, "").Contains("· The reachability check is pending", StringComparison.Ordinal)
            && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            screen += line + "\n";
        }

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Contains("\e[0;33m✗\e[0m", screen, StringComparison.Ordinal);
        var text = Colour().Replace(screen, "");
        Assert.Contains("  ✗ The homeserver check failed for http://127.0.0.1:9: cannot connect", text, StringComparison.Ordinal);
        Assert.Contains("  · The registration check is pending for ", text, StringComparison.Ordinal);
    }

    private void Write(string text, int eventId = 0, string? check = null) => _terminal.Emit(new LogEvent(
        DateTimeOffset.UtcNow, LogEventLevel.Information, exception: null, new MessageTemplate([new TextToken(text)]),
        [
            new("EventId", new StructureValue([new("Id", new ScalarValue(eventId))])),
            new("Check", new ScalarValue(check)),
        ]));

    /// <summary>The lines that a terminal of <see cref="Width"/> columns shows.</summary>
    private List<string> Screen()
    {
        var rows = new List<string> { "" };
        var row = 0;
        foreach (Match piece in Pieces().Matches(_written.ToString()))
        {
            if (piece.Groups["up"].Success)
            {
                row -= int.Parse(piece.Groups["up"].Value, provider: null);
            }
            else if (piece.Value == "\e[J")
            {
                rows.RemoveRange(row, rows.Count - row);
                rows.Add("");
            }
            else if (piece.Value == "\n" || (piece.Value[0] != '\e' && rows[row].Length == Width))
            {
                row++;
                rows.Add(piece.Value.Trim('\n'));
            }
            else if (piece.Value[0] != '\e')
            {
                rows[row] += piece.Value;
            }
        }

        Assert.Equal("", rows[^1]);
        return rows[..^1];
    }

    [GeneratedRegex(@"\e\[(?<up>\d+)F|\e\[J|\e\[\d*m|\n|.")]
    private static partial Regex Pieces();

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
