using System.Globalization;

namespace LoggingService.Options;

/// <summary>Reads values of settings; throws <see cref="ConfigurationException"/> with the key for an invalid value.</summary>
internal static class SettingReader
{
    public static void RejectUnknownKeys(IConfigurationSection section, IReadOnlyList<string> keys)
    {
        RejectValue(section, $"a section with the keys {string.Join(", ", keys)}");
        if (section.GetChildren().FirstOrDefault(child => !keys.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw Error($"{unknown.Path} is not a setting. The settings are {string.Join(", ", keys)}");
        }
    }

    public static void RejectValue(IConfigurationSection section, string expected)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            throw Invalid(section, expected);
        }
    }

    public static void RejectChildren(IConfigurationSection setting, string expected)
    {
        if (setting.GetChildren().Any())
        {
            throw Error($"{setting.Path} is a list or a section; expected {expected}");
        }
    }

    public static string ReadText(IConfigurationSection setting, string @default)
    {
        RejectChildren(setting, "a text");
        if (setting.Value is not { } text)
        {
            return @default;
        }

        return string.IsNullOrWhiteSpace(text) ? throw Error($"{setting.Path} is empty. Omit it for the default, {@default}") : text;
    }

    /// <returns>An absolute path; a relative one is relative to the current directory.</returns>
    public static string ReadPath(IConfigurationSection setting, string @default)
    {
        var text = ReadText(setting, @default);
        return text.Contains('\0') ? throw Error($"{setting.Path} contains a NUL character") : Path.GetFullPath(text);
    }

    public static int? ReadNumber(IConfigurationSection setting, int min, int max, string meaning)
    {
        RejectChildren(setting, "a number");
        if (string.IsNullOrEmpty(setting.Value))
        {
            return null;
        }

        var isNumber = int.TryParse(setting.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number);
        var isValid = isNumber && number >= min && number <= max;
        return isValid ? number : throw Invalid(setting, $"a whole number from {min} to {max}: {meaning}");
    }

    /// <returns>One of the choices; without a value, the first.</returns>
    public static string ReadChoice(IConfigurationSection setting, params IReadOnlyList<string> choices)
    {
        RejectChildren(setting, "a text");
        var value = string.IsNullOrEmpty(setting.Value) ? choices[0] : setting.Value;
        return choices.FirstOrDefault(choice => choice.Equals(value, StringComparison.OrdinalIgnoreCase))
            ?? throw Invalid(setting, string.Join(", ", choices.SkipLast(1)) + $" or {choices[^1]}");
    }

    public static ConfigurationException Invalid(IConfigurationSection setting, string expected) =>
        Error($"{setting.Path} is \"{setting.Value}\"; expected {expected}");

    private static ConfigurationException Error(string message) => new(message.ReplaceLineEndings(" "));
}
