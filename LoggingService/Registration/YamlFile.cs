using System.Text;
using System.Text.RegularExpressions;
using LoggingService.Files;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace LoggingService.Registration;

/// <summary>Reads the one YAML document of a file.</summary>
internal static partial class YamlFile
{
    /// <exception cref="ConfigurationException">The file can't be read or isn't one YAML document.</exception>
    public static YamlValue Read(string path) => Parse(path, ReadText(path));

    /// <summary>Parses the text of a file.</summary>
    /// <exception cref="ConfigurationException">It isn't one YAML document.</exception>
    public static YamlValue Parse(string path, string text)
    {
        var parser = new Parser(new StringReader(text));
        var yaml = new YamlStream();
        try
        {
            yaml.Load(parser);
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            if (FindTab(text, e as YamlException) is { } line)
            {
                throw Error(path, line, "this line is indented with a tab, which YAML doesn't allow: use spaces");
            }

            // The others are how the parser fails at unclosed brackets and wrong indentation. Not every YamlException has a position.
            var start = e is AnchorNotFoundException ? FirstAlias(text) : (e as YamlException)?.Start ?? Mark.Empty;
            var position = start.Equals(Mark.Empty) ? parser.Current?.End ?? start : start;
            var hint = LineAt(text, position).Contains('\\') ? " (in double quotes, a backslash is written twice)" : "";
            var reason = e switch
            {
                // Its message would repeat the value, which may be a secret.
                AnchorNotFoundException => "refers to an unknown YAML alias (*): put the value in double quotes",
                YamlException => $"is not valid YAML: {e.Message.TrimEnd('.')}{hint}",
                _ => "is not valid YAML: look above and below for an unclosed bracket or quote and for wrong indentation",
            };
            throw Error(path, position.Line, $"{KeyAt(text, position)} {reason}");
        }

        return yaml.Documents.Count switch
        {
            0 => throw Error(path, null, "the file is empty: delete it and start the service, which creates a new one"),
            1 => new YamlValue(path, "", yaml.Documents[0].RootNode),
            _ => throw Error(path, yaml.Documents[1].RootNode.Start.Line, "a second document (---): a registration is one document"),
        };
    }

    /// <summary>The text of a file, without a byte order mark.</summary>
    /// <exception cref="ConfigurationException">The file can't be read, or is not UTF-8.</exception>
    public static string ReadText(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error(path, null, e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file: put the registration of the homeserver here",
                UnauthorizedAccessException when Directory.Exists(path) => "this is a folder and must be the registration file",
                UnauthorizedAccessException => $"{CurrentUser.Name} has no permission to read the file: grant it to the service's user",
                _ => $"the file can't be read: {e.Message}",
            });
        }

        // PyYAML refuses control characters everywhere, YamlDotNet not in comments. Invalid UTF-8 is decoded as U+FFFD.
        var text = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF');
        var isRefused = (char c) => c is '\uFFFD' or '\uFFFE' or '\uFFFF' || (char.IsControl(c) && !"\t\n\r\u0085".Contains(c));
        var index = text.Index().Where(c => isRefused(c.Item)).Select(c => c.Index).FirstOrDefault(-1);
        if (index < 0)
        {
            return text;
        }

        throw Error(path, 1 + text.AsSpan(0, index).Count('\n'), text[index] == '\uFFFD'
            ? "the text is not UTF-8: save the file as UTF-8"
            : $"control character U+{(int)text[index]:X4}, which YAML doesn't allow: remove it");
    }

    /// <summary>The line whose indentation has a tab, if that is the error: the parser reports it at an earlier line, or at none.</summary>
    private static long? FindTab(string text, YamlException? error)
    {
        if (error is not null && !error.Start.Equals(Mark.Empty) && !error.Message.Contains("tab", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var tab = text.Split('\n').Index().Skip((int)(error?.Start.Line ?? 1) - 1).FirstOrDefault(line => Tab().IsMatch(line.Item));
        return tab.Item is null ? null : tab.Index + 1;
    }

    private static Mark FirstAlias(string text)
    {
        var parser = new Parser(new StringReader(text));
        while (parser.Current is not AnchorAlias)
        {
            parser.MoveNext();
        }

        return parser.Current.Start;
    }

    /// <summary>The last known key up to a position in its line. No other text is shown: it may be a secret.</summary>
    private static string KeyAt(string text, Mark position)
    {
        var key = KnownKey().Matches(LineAt(text, position)).LastOrDefault(match => match.Index < position.Column);
        return key?.Groups["key"].Value ?? "this line";
    }

    private static string LineAt(string text, Mark position) => text.Split('\n').ElementAtOrDefault((int)position.Line - 1) ?? "";

    private static ConfigurationException Error(string path, long? line, string message) =>
        new(line is null ? $"{path}: {message}" : $"{path}:{line}: {message}");

    [GeneratedRegex(@"\A *\t\s*[^\s#]")]
    private static partial Regex Tab();

    [GeneratedRegex(@"\b(?<key>id|url|as_token|hs_token|sender_localpart|rate_limited|namespaces|users|rooms|aliases|exclusive|regex)\s*:")]
    private static partial Regex KnownKey();
}
