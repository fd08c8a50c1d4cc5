using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace LoggingService.Options;

/// <summary>
/// Reads the settings of a section. An invalid value is a <see cref="ConfigurationException"/> that names the setting as it was given: the
/// option, the variable, or the file and the key.
/// </summary>
internal sealed partial class SettingReader(IConfigurationRoot configuration, string section)
{
    private readonly IConfigurationSection _section = configuration.GetSection(section);

    public void RejectUnknownKeys(IReadOnlyList<string> keys)
    {
        RejectValue(_section, $"a section with the keys {string.Join(", ", keys)}");
        if (_section.GetChildren().FirstOrDefault(child => !keys.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            var name = NameOf(unknown.Path);
            throw new ConfigurationException(NearestName.Find(unknown.Key, keys) is { } nearest
                ? $"{name} is not a setting. Did you mean {nearest}?"
                : $"{name} is not a setting. The settings are {string.Join(", ", keys)}");
        }
    }

    public void RejectValue(IConfigurationSection setting, string expected)
    {
        if (!string.IsNullOrEmpty(setting.Value))
        {
            throw Invalid(setting, expected);
        }
    }

    public string ReadText(string key, string @default)
    {
        var setting = Get(key, "a text");
        if (setting.Value is not { } text)
        {
            return @default;
        }

        return !string.IsNullOrWhiteSpace(text) ? text : throw Error(key, $"is empty. Omit it for the default, {@default}");
    }

    /// <returns>An absolute path; a relative one is relative to the current directory.</returns>
    public string ReadPath(string key, string @default)
    {
        var text = ReadText(key, @default);
        return text.Contains('\0') ? throw Error(key, "contains a NUL character") : Path.GetFullPath(text);
    }

    public int? ReadNumber(string key, int min, int max, string meaning)
    {
        var setting = Get(key, "a number");
        if (string.IsNullOrEmpty(setting.Value))
        {
            return null;
        }

        var isNumber = int.TryParse(setting.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number);
        var isValid = isNumber && number >= min && number <= max;
        return isValid ? number : throw Invalid(setting, $"a whole number from {min} to {max}: {meaning}");
    }

    /// <returns>The bytes of a size such as <c>128MB</c> (10^6), <c>128MiB</c> (2^20) or <c>134217728</c>.</returns>
    public long? ReadSize(string key, long min, long max, string meaning)
    {
        var setting = Get(key, "a size");
        if (string.IsNullOrEmpty(setting.Value))
        {
            return null;
        }

        var size = Size().Match(setting.Value);
        var factor = size.Groups["prefix"].Value.ToLowerInvariant() switch
        {
            "k" => 1_000,
            "m" => 1_000_000,
            "g" => 1_000_000_000,
            "ki" => 1 << 10,
            "mi" => 1 << 20,
            "gi" => 1 << 30,
            "t" => 1_000_000_000_000,
            "ti" => 1L << 40,
            _ => 1L,
        };
        var bytes = size.Success ? Int128.Parse(size.Groups["number"].Value, CultureInfo.InvariantCulture) * factor : -1;
        return bytes >= min && bytes <= max
            ? (long)bytes
            : throw Invalid(setting, $"a size from {FormatSize(min)} to {FormatSize(max)}, such as 128MB or 134217728: {meaning}");
    }

    public static string FormatSize(long bytes) => bytes switch
    {
        > 0 when bytes % (1L << 40) == 0 => $"{bytes >> 40} TiB",
        _ when bytes % (1 << 20) == 0 => $"{bytes >> 20} MiB",
        _ => $"{bytes} bytes",
    };

    /// <returns>One of the choices; without a value, the first.</returns>
    public string ReadChoice(string key, params IReadOnlyList<string> choices)
    {
        var setting = Get(key, "a text");
        var value = string.IsNullOrEmpty(setting.Value) ? choices[0] : setting.Value;
        return choices.FirstOrDefault(choice => choice.Equals(value, StringComparison.OrdinalIgnoreCase))
            ?? throw Invalid(setting, string.Join(", ", choices.SkipLast(1)) + $" or {choices[^1]}");
    }

    /// <returns>The values of a list, in their order.</returns>
    public IReadOnlyList<string> ReadList(string key, Func<string, bool> isValid, string expectedList, string expectedItem)
    {
        var list = _section.GetSection(key);
        RejectValue(list, expectedList);
        var values = new List<string>();
        foreach (var child in list.GetChildren())
        {
            var item = Get($"{key}:{child.Key}", expectedItem);
            values.Add(item.Value is { } value && isValid(value) ? value : throw Invalid(item, expectedItem));
        }

        return values;
    }

    public ConfigurationException Invalid(IConfigurationSection setting, string expected) =>
        new($"{NameOf(setting.Path)} is \"{setting.Value}\"; expected {expected}");

    /// <param name="key">The key in the section.</param>
    /// <param name="reason">A phrase that follows the name of the setting.</param>
    public ConfigurationException Error(string key, string reason) => new($"{NameOf($"{section}:{key}")} {reason}");

    /// <summary>The name of a setting where it was given.</summary>
    /// <param name="path">The path of keys, such as <c>LoggingService:Logs</c>.</param>
    public string NameOf(string path) => NameOf(configuration, path);

    public static string NameOf(IConfigurationRoot configuration, string path)
    {
        if (configuration[SettingsSources.OptionKey + path] is { } option)
        {
            return option;
        }

        return configuration.Providers.LastOrDefault(provider => Has(provider, path)) switch
        {
            CommandLineConfigurationProvider => $"--{path}",
            EnvironmentVariablesConfigurationProvider => EnvironmentSettings.VariableOf(path),
            JsonConfigurationProvider file => $"{SettingsSources.PathOf(file)}: {path}",
            _ => path,
        };
    }

    private static bool Has(IConfigurationProvider provider, string path) =>
        provider.TryGet(path, out _) || provider.GetChildKeys([], path).Any();

    private IConfigurationSection Get(string key, string expected)
    {
        var setting = _section.GetSection(key);
        return setting.GetChildren().Any() ? throw Error(key, $"is a list or a section; expected {expected}") : setting;
    }

    [GeneratedRegex(@"\A\s*(?<number>[0-9]{1,16})\s*(?:(?<prefix>[kmgtKMGT]i?)?[bB])?\s*\z")]
    private static partial Regex Size();
}
