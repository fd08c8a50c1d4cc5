using System.Text;
using LoggingService.Options;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LoggingService.Registration;

/// <summary>
/// Reads a YAML file that PyYAML reads too: what that would refuse, and what the two could take for different things,
/// is a mistake here.
/// </summary>
internal sealed class YamlFile
{
    private readonly Dictionary<AnchorName, YamlNode> anchors = [];
    private readonly string file;
    private readonly Parser parser;

    private YamlFile(string file, string text)
    {
        this.file = file;
        parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads the file's one document.</summary>
    /// <param name="path">The file; mistakes show the path as it is given.</param>
    /// <exception cref="ConfigurationException">The file can't be read, isn't YAML, or holds no value or several.</exception>
    internal static YamlNode Read(string path)
    {
        var reader = new YamlFile(path, ReadText(path));
        try
        {
            return reader.Document();
        }
        catch (YamlException e)
        {
            var hint = e.Message.Contains("escape", StringComparison.OrdinalIgnoreCase)
                ? " (between double quotes a backslash is written twice)" : "";
            throw YamlNode.MistakeIn(path, e.End.Line, $"the YAML is broken here: {e.Message.TrimEnd('.')}{hint}");
        }
        catch (Exception e) when (e is not ConfigurationException)
        {
            // The scanner gives up at some broken texts with exceptions of other kinds, which know no line: `[a` is one.
            throw YamlNode.MistakeIn(path, reader.parser.Current?.End.Line, "the YAML is broken, here or in the next lines: look for a bracket or quote that isn't closed");
        }
    }

    private static string ReadText(string path)
    {
        byte[] bytes;
        try
        {
            bytes = Directory.Exists(path)
                ? throw YamlNode.MistakeIn(path, null, "this is a folder, and must be the registration file")
                : File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw YamlNode.MistakeIn(path, null, "there is no such file: the registration that the homeserver reads must be there");
        }
        catch (UnauthorizedAccessException)
        {
            throw YamlNode.MistakeIn(path, null, $"{Environment.UserName} may not read it: the service's user must be allowed to");
        }
        catch (IOException e)
        {
            throw YamlNode.MistakeIn(path, null, $"it can't be read: {e.Message}");
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw YamlNode.MistakeIn(path, 1 + bytes.AsSpan(0, e.Index).Count((byte)'\n'), "this isn't UTF-8: save the file as UTF-8");
        }

        // PyYAML refuses these wherever they stand, in comments too.
        var control = text.AsSpan().IndexOfAny(Refused);
        return control < 0 ? text : throw YamlNode.MistakeIn(
            path,
            1 + text.AsSpan(0, control).Count('\n'),
            $"here is the control character U+{(int)text[control]:X4}, which YAML doesn't allow: take it out");
    }

    private static readonly System.Buffers.SearchValues<char> Refused = System.Buffers.SearchValues.Create(
        [.. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(c => c is not ('\t' or '\n' or '\r' or '\u0085' or (>= ' ' and <= '~'))), '\uFFFE', '\uFFFF']);

    private YamlNode Document()
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _))
        {
            throw YamlNode.MistakeIn(file, null, "the file is empty: take it away and start the service again, and it makes a new one");
        }

        parser.Consume<DocumentStart>();
        var root = Node("");
        parser.Consume<DocumentEnd>();
        return parser.Accept<DocumentStart>(out var second)
            ? throw YamlNode.MistakeIn(file, second.Start.Line, "here a second document begins: a registration is one")
            : root;
    }

    private YamlNode Node(string name)
    {
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return anchors.TryGetValue(alias.Value, out var known)
                ? known with { Line = alias.Start.Line, Name = name }
                : throw YamlNode.MistakeIn(file, alias.Start.Line, $"{name} begins with *, which stands for another value: put it between double quotes");
        }

        var start = parser.Consume<NodeEvent>();
        var node = new YamlNode(file, start.Start.Line, name, YamlKind.Null);
        if (!start.Tag.IsEmpty && start.Tag.Value != "tag:yaml.org,2002:str")
        {
            throw node.Mistake("begins with !, which is a tag to YAML: put it between double quotes");
        }

        node = start switch
        {
            Scalar scalar => Scalar(node, scalar),
            MappingStart => Mapping(node),
            _ => List(node),
        };
        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor] = node;
        }

        return node;
    }

    private static YamlNode Scalar(YamlNode node, Scalar scalar) => node with
    {
        Text = scalar.Value,
        Kind = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty ? Yaml11.KindOf(scalar.Value) : YamlKind.String,
    };

    private YamlNode List(YamlNode node)
    {
        var items = new List<YamlNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node($"{node.Name}[{items.Count}]"));
        }

        return node with { Kind = YamlKind.List, Items = items };
    }

    private YamlNode Mapping(YamlNode node)
    {
        var members = new Dictionary<string, YamlNode>();
        var lines = new Dictionary<string, long>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node("a key");
            if (key.Kind is YamlKind.List or YamlKind.Mapping or YamlKind.Refused)
            {
                throw key.Mistake($"is {key.Kind.InWords()}, and must be a string");
            }

            var name = node.Name.Length == 0 ? key.Text : $"{node.Name}.{key.Text}";
            if (!lines.TryAdd(key.Text, key.Line))
            {
                throw YamlNode.MistakeIn(file, key.Line, $"{name} is there for the second time (first in line {lines[key.Text]}): keep one");
            }

            members[key.Text] = Node(name);
        }

        return node with { Kind = YamlKind.Mapping, Members = members };
    }
}
