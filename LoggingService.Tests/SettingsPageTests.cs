using System.Text.RegularExpressions;
using LoggingService.Cli;
using LoggingService.Options;
using Microsoft.Extensions.Configuration;

namespace LoggingService.Tests;

/// <summary>The table in docs/settings.md matches the program.</summary>
public partial class SettingsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "settings.md"));
    private readonly List<Match> _rows = [.. (IEnumerable<Match>)Row().Matches(Page)];

    [Fact]
    public void Every_setting_is_in_the_table_with_its_option()
    {
        Assert.Equal(LoggingServiceOptions.Keys, _rows.Select(row => row.Groups["key"].Value));
        var properties = typeof(LoggingServiceOptions).GetProperties().Select(property => property.Name);
        Assert.Equal(LoggingServiceOptions.Keys, properties.Where(name => name is not ("Keys" or "ReloadedKeys" or "HomeserverText")));
        var options = SettingOption.All.Where(option => option.Key.StartsWith("LoggingService:", StringComparison.Ordinal));
        Assert.Equal(
            options.Select(option => (option.Key, option.Name)),
            _rows.Select(row => ($"LoggingService:{row.Groups["key"].Value}", row.Groups["switch"].Value)));
    }

    [Fact]
    public void The_table_marks_the_settings_that_a_reload_changes()
    {
        var marked = _rows.Where(row => row.Value.EndsWith(" *Reloaded.* |", StringComparison.Ordinal));
        Assert.Equal(LoggingServiceOptions.ReloadedKeys, marked.Select(row => row.Groups["key"].Value));
    }

    [Fact]
    public void The_defaults_in_the_table_and_in_the_help_match_the_program()
    {
        var options = LoggingServiceOptions.Read(new ConfigurationBuilder().Build());
        foreach (var row in _rows)
        {
            var expected = row.Groups["key"].Value switch
            {
                nameof(LoggingServiceOptions.Homeserver) => options.HomeserverText,
                nameof(LoggingServiceOptions.Registration) => Path.GetRelativePath(".", options.Registration),
                nameof(LoggingServiceOptions.Logs) => Path.GetRelativePath(".", options.Logs),
                nameof(LoggingServiceOptions.Moderators) => string.Concat(options.Moderators),
                nameof(LoggingServiceOptions.JoinLoggedRooms) => options.JoinLoggedRooms ? "on" : "off",
                var key => typeof(LoggingServiceOptions).GetProperty(key)!.GetValue(options)?.ToString() ?? "",
            };
            Assert.Equal(expected, row.Groups["default"].Value);
            var inHelp = row.Groups["key"].Value switch
            {
                nameof(LoggingServiceOptions.RetainDays) or nameof(LoggingServiceOptions.MaxBytes) => "all",
                nameof(LoggingServiceOptions.CompressAfterDays) => "never",
                nameof(LoggingServiceOptions.Moderators) or nameof(LoggingServiceOptions.NoLogPrefix) => "none",
                _ => expected,
            };
            var option = SettingOption.All.Single(option => option.Name == row.Groups["switch"].Value);
            Assert.Contains($"[default: {inHelp}]", option.Description, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"(?m)^\| `(?<key>\w+)` \| `(?<switch>--[\w-]+)` \| (`(?<default>[^`]*)`)? ?\| .+ \|$")]
    private static partial Regex Row();
}
