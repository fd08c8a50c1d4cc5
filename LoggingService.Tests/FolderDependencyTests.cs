using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>
/// A folder is a namespace and uses only types of the folders before it. The test reads the built assembly, so it doesn't see
/// the use of constants, which the compiler inlines.
/// </summary>
public sealed partial class FolderDependencyTests : IDisposable
{
    private const string Root = "LoggingService";

    // The last entry is Program.cs.
    private static readonly string[] Order =
    [
        "Options", "Files", "Events", "Rendering", "Logging", "Metrics", "Registration", "Http", "Homeserver", "Rooms", "Journal",
        "Upgrade", "RoomLogs", "Consent", "Transactions", "History", "Erasure", "Visibility", "Search", "Pages", "Admin", "Systemd", "Demo",
        "Cli", "",
    ];

    private readonly PEReader _file = new(File.OpenRead(typeof(Program).Assembly.Location));
    private readonly MetadataReader _metadata;

    public FolderDependencyTests() => _metadata = _file.GetMetadataReader();

    [Fact]
    public void References_go_one_way()
    {
        var edges =
            from handle in _metadata.TypeDefinitions
            let type = Outermost(handle)
            where FolderOf(type) is not null
            from reference in ReferencedTypes.Of(_file, handle).Select(Outermost)
            where FolderOf(reference) is not null && IsBackEdge(FolderOf(type)!, FolderOf(reference)!)
            select $"{NameOf(type)} -> {NameOf(reference)}";

        var backEdges = edges.Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.True(backEdges.Count == 0, string.Join('\n', backEdges));
    }

    [Fact]
    public void The_namespace_of_a_file_is_its_folder()
    {
        var source = Path.Combine(ThisFolder(), "..", Root);
        var folders = Directory.GetDirectories(source).Select(Path.GetFileName).Except(["bin", "obj"]).ToList();
        Assert.Empty(folders.Except(Order));
        Assert.All(
            from folder in folders
            from file in Directory.GetFiles(Path.Combine(source, folder!), "*.cs", SearchOption.AllDirectories)
            select (folder, file),
            found => Assert.Equal($"{Root}.{found.folder}", NamespaceLine().Match(File.ReadAllText(found.file)).Groups[1].Value));
    }

    public void Dispose() => _file.Dispose();

    private static bool IsBackEdge(string from, string to) =>
        !Order.Contains(from) || Array.IndexOf(Order, from) < Array.IndexOf(Order, to);

    /// <summary>Null for types of source generators, which have other namespaces.</summary>
    private string? FolderOf(TypeDefinition type) => _metadata.GetString(type.Namespace) switch
    {
        Root => "",
        "" => _metadata.GetString(type.Name) == nameof(Program) ? "" : null,
        var name => name.StartsWith(Root + ".", StringComparison.Ordinal) ? name[(Root.Length + 1)..] : null,
    };

    private string NameOf(TypeDefinition type) => $"{FolderOf(type)}.{_metadata.GetString(type.Name)}".TrimStart('.');

    /// <summary>The compiler nests the types of lambdas and async methods.</summary>
    private TypeDefinition Outermost(TypeDefinitionHandle handle)
    {
        var type = _metadata.GetTypeDefinition(handle);
        return type.GetDeclaringType() is { IsNil: false } declaring ? Outermost(declaring) : type;
    }

    private static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
