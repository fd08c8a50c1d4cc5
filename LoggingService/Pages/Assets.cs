using System.Security.Cryptography;

namespace LoggingService.Pages;

/// <summary>The style and the script of the pages. Their names have a hash of their content, so that they are cached for ever.</summary>
internal sealed class Assets
{
    private readonly Dictionary<string, Asset> _byName = [];

    public Assets()
    {
        Style = Add("pages.css", "text/css; charset=utf-8");
        Script = Add("pages.js", "text/javascript; charset=utf-8");
        LiveScript = Add("live.js", "text/javascript; charset=utf-8");
    }

    public string Style { get; }

    public string Script { get; }

    public string LiveScript { get; }

    public Asset? Find(string name) => _byName.GetValueOrDefault(name);

    private string Add(string resource, string type)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8));
        var name = $"{Path.GetFileNameWithoutExtension(resource)}.{hash}{Path.GetExtension(resource)}";
        _byName.Add(name, new(content, type));
        return name;
    }
}

internal sealed record Asset(byte[] Content, string Type);
