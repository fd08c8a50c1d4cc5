using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace LoggingService.Tests.Support;

/// <summary>The types of its own assembly that a type names: base, interfaces, fields, signatures and the bodies of its methods.</summary>
internal sealed class ReferencedTypes : ISignatureTypeProvider<object?, object?>
{
    private static readonly FrozenDictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToFrozenDictionary(opCode => (int)(ushort)opCode.Value, opCode => opCode.OperandType);

    private readonly MetadataReader _metadata;
    private readonly HashSet<TypeDefinitionHandle> _found = [];

    private ReferencedTypes(MetadataReader metadata) => _metadata = metadata;

    public static IEnumerable<TypeDefinitionHandle> Of(PEReader assembly, TypeDefinitionHandle handle)
    {
        var metadata = assembly.GetMetadataReader();
        var type = metadata.GetTypeDefinition(handle);
        var references = new ReferencedTypes(metadata);
        references.Add(type.BaseType);
        foreach (var implemented in type.GetInterfaceImplementations())
            references.Add(metadata.GetInterfaceImplementation(implemented).Interface);
        foreach (var field in type.GetFields())
            metadata.GetFieldDefinition(field).DecodeSignature(references, null);
        foreach (var method in type.GetMethods().Select(metadata.GetMethodDefinition))
        {
            method.DecodeSignature(references, null);
            if (method.RelativeVirtualAddress != 0)
                references.Add(assembly.GetMethodBody(method.RelativeVirtualAddress));
        }

        return references._found;
    }

    private void Add(MethodBodyBlock body)
    {
        if (!body.LocalSignature.IsNil)
            _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null);
        for (var il = body.GetILReader(); il.RemainingBytes > 0;)
        {
            int code = il.ReadByte();
            var operand = Operands[code == 0xFE ? 0xFE00 | il.ReadByte() : code];
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok)
                Add(MetadataTokens.EntityHandle(il.ReadInt32()));
            else
                Skip(ref il, operand);
        }
    }

    private static void Skip(ref BlobReader il, OperandType operand)
    {
        var size = operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            OperandType.InlineSwitch => 4 * il.ReadInt32(),
            _ => 4,
        };
        il.Offset += size;
    }

    private object? Add(EntityHandle handle) => handle.Kind switch
    {
        _ when handle.IsNil => null,
        HandleKind.TypeDefinition => _found.Add((TypeDefinitionHandle)handle),
        HandleKind.TypeSpecification => _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null),
        HandleKind.FieldDefinition => Add(_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.MethodDefinition => Add(_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.MemberReference => Add(_metadata.GetMemberReference((MemberReferenceHandle)handle).Parent),
        HandleKind.MethodSpecification => Add(_metadata.GetMethodSpecification((MethodSpecificationHandle)handle)),
        _ => null,
    };

    private object? Add(MethodSpecification instantiated)
    {
        instantiated.DecodeSignature(this, null);
        return Add(instantiated.Method);
    }

    // The decoder calls these for each type in a signature, the innermost first.
    public object? GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte kind) => Add(handle);
    public object? GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte _) => Add(handle);
    public object? GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte kind) => null;
    public object? GetArrayType(object? element, ArrayShape shape) => null;
    public object? GetByReferenceType(object? element) => null;
    public object? GetFunctionPointerType(MethodSignature<object?> signature) => null;
    public object? GetGenericInstantiation(object? type, ImmutableArray<object?> arguments) => null;
    public object? GetGenericMethodParameter(object? context, int index) => null;
    public object? GetGenericTypeParameter(object? context, int index) => null;
    public object? GetModifiedType(object? modifier, object? unmodified, bool isRequired) => null;
    public object? GetPinnedType(object? element) => null;
    public object? GetPointerType(object? element) => null;
    public object? GetPrimitiveType(PrimitiveTypeCode code) => null;
    public object? GetSZArrayType(object? element) => null;
}
