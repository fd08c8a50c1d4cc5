using System.Text.RegularExpressions;
using LoggingService.Cli;
using LoggingService.Options;
using Microsoft.Extensions.Configuration;

namespace LoggingService.Tests;

/// <summary>docs/settings.md says what the program does.</summary>
public partial class SettingsPageTests
{
    private readonly List<Match> _rows = [.. (IEnumerable<Match>)Row().Matches(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "settings.md")))];

    [Fact]
    public void Every_setting_is_in_the_table_with_its_switch()
    {
        Assert.Equal(LoggingServiceOptions.Keys, _rows.Select(row => row.Groups["key"].Value));
        Assert.Equal(LoggingServiceOptions.Keys, typeof(LoggingServiceOptions).GetProperties().Select(property => property.Name).Where(name => name is not ("Keys" or "HomeserverText")));
        Assert.Equal(
            SettingOption.All.Where(setting => setting.Key.StartsWith("LoggingService:", StringComparison.Ordinal)).Select(setting => (setting.Key, setting.Name)),
            _rows.Select(row => ($"LoggingService:{row.Groups["key"].Value}", row.Groups["switch"].Value)));
    }

    [Fact]
    public void The_defaults_in_the_table_and_in_the_help_are_those_of_the_program()
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
                var key => typeof(LoggingServiceOptions).GetProperty(key)!.GetValue(options)?.ToString() ?? "",
            };
            Assert.Equal(expected, row.Groups["default"].Value);
            Assert.Contains($"[default: {row.Groups["key"].Value switch { "RetainDays" => "all", "Moderators" => "none", _ => expected }}]",
                SettingOption.All.Single(setting => setting.Name == row.Groups["switch"].Value).Description, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"(?m)^\| `(?<key>\w+)` \| `(?<switch>--[\w-]+)` \| (`(?<default>[^`]*)`)? ?\| .+ \|$")]
    private static partial Regex Row();
}
